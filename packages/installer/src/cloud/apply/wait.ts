import { type Clock, SelvedgeError, hasCode } from '@selvedge/kit';

export interface Waiting {
  readonly what: string;
  readonly timeoutMs: number;
  /** What a person can do when it takes too long. */
  readonly hint: string;
}

const pauseMs = 500;
/** One that has just started knows no roles yet, and refuses everybody. */
const transient = [
  'Unavailable',
  'DeadlineExceeded',
  'ResourceExhausted',
  'Forbidden',
  'Unauthenticated',
] as const;

/**
 * Asks again and again until it is so. An API server that is out of reach is asked again, too: it is started anew. Throws
 * `DeadlineExceeded`.
 */
export async function until(
  { what, timeoutMs, hint }: Waiting,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
  isSo: () => Promise<boolean>,
): Promise<void> {
  const end = clock.monotonicMs() + timeoutMs;
  let cause: unknown;
  for (;;) {
    try {
      if (await isSo()) return;
      cause = undefined;
    } catch (error) {
      if (!hasCode(error, ...transient)) throw error;
      cause = error;
    }
    if (clock.monotonicMs() >= end) {
      const message = `${what} is not so after ${Math.round(timeoutMs / 1_000)} s`;
      throw new SelvedgeError(message, { code: 'DeadlineExceeded', hint, cause });
    }
    await clock.sleep(pauseMs, signal);
  }
}

import { type Clock, SelvedgeError, hasCode } from '@selvedge/kit';

export interface Waiting {
  readonly what: string;
  readonly timeoutMs: number;
  /** What a person can do when it takes too long. */
  readonly hint: string;
  /** What keeps it from being so, asked when it took too long. */
  readonly why?: (signal: AbortSignal) => Promise<string | undefined>;
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
  { what, timeoutMs, hint, why }: Waiting,
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
      const known = await why?.(signal).catch(() => undefined);
      const message = `timed out after ${Math.round(timeoutMs / 1_000)} s waiting for ${what}${known === undefined ? '' : `: ${known}`}`;
      throw new SelvedgeError(message, { code: 'DeadlineExceeded', hint, cause });
    }
    await clock.sleep(pauseMs, signal);
  }
}

import { type Clock, SelvedgeError } from '@selvedge/kit';
import { isTransient } from './transient.ts';

/** What an attempt came to. */
export type Attempt<T> = { readonly kind: 'done'; readonly value: T } | Pending;

interface Pending {
  readonly kind: 'pending';
  /** What is missing, for people. */
  readonly why: string;
  readonly cause?: unknown;
}

export const pending = (why: string): Pending => ({ kind: 'pending', why });

/** Done if it is so. */
export const isSo = (so: boolean, why: string): Attempt<void> =>
  so ? { kind: 'done', value: undefined } : pending(why);

/** Done if nothing is missing. */
export const nothingLacks = (missing: readonly string[]): Attempt<void> =>
  isSo(missing.length === 0, missing.join(', '));

export interface Polling {
  /** What is awaited: `shop-1 to be Ready`. */
  readonly what: string;
  readonly timeoutMs: number;
  /** Between two attempts. Default 500. */
  readonly everyMs?: number;
  /** What a person can do when it takes too long. */
  readonly hint?: string;
  /** Told why it is not so yet, when that changes. */
  readonly onPending?: (why: string) => void;
  /** What keeps it from being so, asked when it took too long. Default: what the last attempt said. */
  readonly why?: (signal: AbortSignal) => Promise<string | undefined>;
}

const defaultEveryMs = 500;

/** A server that is away for a moment is one more thing to wait for. */
async function tried<T>(attempt: () => Promise<Attempt<T>>): Promise<Attempt<T>> {
  try {
    return await attempt();
  } catch (cause) {
    if (isTransient(cause)) return { kind: 'pending', why: cause.message, cause };
    throw cause;
  }
}

async function tooLong(
  { what, timeoutMs, hint, why }: Polling,
  { why: said, cause }: Pending,
  signal: AbortSignal,
): Promise<SelvedgeError> {
  const known = (await why?.(signal).catch(() => undefined)) ?? said;
  const message = `timed out after ${Math.round(timeoutMs / 1_000)} s waiting for ${what}: ${known}`;
  return new SelvedgeError(message, {
    code: 'DeadlineExceeded',
    cause,
    ...(hint === undefined ? {} : { hint }),
  });
}

/**
 * Attempts it until it is done, and gives its value. Throws `DeadlineExceeded` with why it was not, what `attempt` throws but for
 * an API server that is away, and the signal's reason.
 */
export async function poll<T>(
  polling: Polling,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
  attempt: () => Promise<Attempt<T>>,
): Promise<T> {
  const { everyMs = defaultEveryMs, timeoutMs, onPending } = polling;
  const endMs = clock.monotonicMs() + timeoutMs;
  let told = '';
  for (;;) {
    signal.throwIfAborted();
    const now = await tried(attempt);
    if (now.kind === 'done') return now.value;
    if (now.why !== told) onPending?.(now.why);
    told = now.why;
    if (clock.monotonicMs() >= endMs) throw await tooLong(polling, now, signal);
    await clock.sleep(everyMs, signal);
  }
}

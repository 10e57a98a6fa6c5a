import { type Clock, SelvedgeError, hasCode } from '@selvedge/kit';

export interface Patience {
  /** What is awaited: `shop-1 to be Ready`. */
  readonly what: string;
  /** Between two looks. Default 500. */
  readonly everyMs?: number;
  readonly timeoutMs: number;
  /** Told what is still missing, when that changes. */
  readonly onMissing?: (missing: string) => void;
  readonly signal: AbortSignal;
}

const defaultEveryMs = 500;
/** An API server that has just started knows no roles yet, and refuses everybody. */
const transient = ['Unavailable', 'DeadlineExceeded', 'Forbidden', 'Unauthenticated'] as const;

/** What is missing now. A server that is away for a moment is one more thing to wait for. */
async function missingOf(look: () => Promise<readonly string[]>): Promise<readonly string[]> {
  try {
    return await look();
  } catch (error) {
    if (hasCode(error, ...transient)) return [error.message];
    throw error;
  }
}

/**
 * Looks until nothing is missing. Throws `DeadlineExceeded` with what was missing at last, what `look` throws but for a
 * cluster that is away, and the signal's reason.
 */
export async function untilNothingLacks(
  { what, everyMs = defaultEveryMs, timeoutMs, onMissing, signal }: Patience,
  clock: Clock,
  look: () => Promise<readonly string[]>,
): Promise<void> {
  const endMs = clock.monotonicMs() + timeoutMs;
  let last = '';
  for (;;) {
    signal.throwIfAborted();
    const missing = (await missingOf(look)).join(', ');
    if (missing === '') return;
    if (missing !== last) onMissing?.(missing);
    last = missing;
    if (clock.monotonicMs() >= endMs) {
      const message = `waited ${Math.round(timeoutMs / 1_000)} s for ${what}: ${missing}`;
      throw new SelvedgeError(message, { code: 'DeadlineExceeded' });
    }
    await clock.sleep(everyMs, signal);
  }
}

/**
 * A wall clock that shows an earlier time was never set: machines without a battery start in 1970. In milliseconds since
 * the epoch: 2026-01-01T00:00:00Z.
 */
export const earliestNowMs = Date.UTC(2026, 0, 1);

/**
 * Whether it can be now. `seenMs`: a time that has been before, if one is known. While it cannot, nothing is too new: what
 * an authority has signed was issued, so the clock is wrong.
 */
export const isPlausibleNow = (nowMs: number, seenMs = 0): boolean =>
  nowMs >= Math.max(earliestNowMs, seenMs);

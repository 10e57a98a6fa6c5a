import { type Clock, SelvedgeError, createLimiter } from '@selvedge/kit';

export interface StrangersOptions {
  /** Reviews at a time. */
  readonly parallel: number;
  /** Reviews in a row without a pause. */
  readonly burst: number;
  readonly perSecond: number;
}

/** Lets reviews of tokens of which nothing is known here through, a few at a time and so many a second. */
export interface Strangers {
  /** Rejects with `ResourceExhausted` beyond that: the client comes again. */
  run<T>(signal: AbortSignal, review: () => Promise<T>): Promise<T>;
}

export function createStrangers(
  { parallel, burst, perSecond }: StrangersOptions,
  { clock }: { readonly clock: Pick<Clock, 'monotonicMs'> },
): Strangers {
  const limiter = createLimiter({ capacity: parallel });
  let left = burst;
  let filledMs = clock.monotonicMs();
  return {
    async run(signal, review) {
      const nowMs = clock.monotonicMs();
      left = Math.min(burst, left + ((nowMs - filledMs) / 1_000) * perSecond);
      filledMs = nowMs;
      if (left < 1) {
        throw new SelvedgeError('too many bearer tokens that nobody here knows are to be reviewed', {
          code: 'ResourceExhausted',
          details: { retryAfterSeconds: 1 },
        });
      }
      left -= 1;
      return await limiter.run(signal, review);
    },
  };
}

import type { Clock, Counter } from '@selvedge/kit';

/** An answer and when it came, on the clock's monotonic scale. */
export interface Timed<T> {
  readonly value: T;
  readonly atMs: number;
}

/** Asks, counts and notes the time. */
export interface CountedReviews {
  readonly nowMs: () => number;
  ask<T>(
    kind: 'token' | 'access',
    review: () => Promise<T>,
    isYes: (answer: T) => boolean,
  ): Promise<Timed<T>>;
}

export const isYounger = ({ atMs }: Timed<unknown>, goodMs: number, reviews: CountedReviews): boolean =>
  reviews.nowMs() - atMs < goodMs;

export function createCountedReviews(deps: {
  readonly clock: Pick<Clock, 'monotonicMs'>;
  readonly counter: Counter;
}): CountedReviews {
  const { clock, counter } = deps;
  const nowMs = (): number => clock.monotonicMs();
  return {
    nowMs,
    async ask(kind, review, isYes) {
      try {
        const value = await review();
        counter.add({ kind, outcome: isYes(value) ? 'allowed' : 'denied' });
        return { value, atMs: nowMs() };
      } catch (error) {
        counter.add({ kind, outcome: 'failed' });
        throw error;
      }
    },
  };
}

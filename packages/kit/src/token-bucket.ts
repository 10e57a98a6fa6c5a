import type { Clock } from './clock.ts';

export interface TokenBucketOptions {
  /** How much may happen at once. */
  readonly burst: number;
  /** How much may happen in the long run. */
  readonly perSecond: number;
}

/** Limits how often something happens. Full at the beginning. */
export class TokenBucket {
  readonly #options: TokenBucketOptions;
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  #tokens: number;
  #atMs: number;

  constructor(options: TokenBucketOptions, clock: Pick<Clock, 'monotonicMs'>) {
    this.#options = options;
    this.#clock = clock;
    this.#tokens = options.burst;
    this.#atMs = clock.monotonicMs();
  }

  /** Whether it may happen now; then it counts. */
  take(): boolean {
    const now = this.#clock.monotonicMs();
    const { burst, perSecond } = this.#options;
    this.#tokens = Math.min(burst, this.#tokens + ((now - this.#atMs) / 1_000) * perSecond);
    this.#atMs = now;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}

import type { Clock } from './clock.ts';
import type { Random } from './random.ts';

export interface BackoffOptions {
  /** Upper bound of the first delay, in milliseconds. */
  readonly initialMs: number;
  /** Upper bound of every delay, in milliseconds. */
  readonly maxMs: number;
  /** How long the link must have stayed up before the next failure counts as the first again. */
  readonly resetAfterMs: number;
}

/** The reconnect delays of one link. */
export interface Backoff {
  /** The delay before the next attempt: full jitter below a doubling bound. Ends the "up" period, if any. */
  nextDelayMs(): number;
  /** The link is up now. The attempt counter resets only if it stays so for `resetAfterMs`. */
  up(): void;
}

/** Full-jitter exponential backoff. Source: "Exponential Backoff And Jitter", AWS Architecture Blog, 2015. */
export function createBackoff(
  options: BackoffOptions,
  deps: { readonly clock: Pick<Clock, 'monotonicMs'>; readonly random: Random },
): Backoff {
  let attempt = 0;
  let upSince: number | undefined;
  return {
    nextDelayMs() {
      if (upSince !== undefined && deps.clock.monotonicMs() - upSince >= options.resetAfterMs) attempt = 0;
      upSince = undefined;
      const bound = Math.min(options.maxMs, options.initialMs * 2 ** attempt);
      attempt = Math.min(attempt + 1, 30);
      return bound * deps.random();
    },
    up() {
      upSince ??= deps.clock.monotonicMs();
    },
  };
}

import { type Backoff, type Logger, hasCode } from '@selvedge/kit';
import { firstStep } from './plan.ts';
import type { SharedSecret } from './shared-secret.ts';

export interface Beginning {
  readonly shared: SharedSecret;
  readonly done: (step: 'begin' | 'issue') => void;
  /** For so long, or until somebody has written, for all that can be told. */
  readonly wait: (ms: number) => Promise<void>;
  readonly backoff: Backoff;
  readonly log: Logger;
}

/** Whoever was faster has made what this server wants as well. */
const passing = ['Conflict', 'AlreadyExists', 'NotFound'] as const;
const againMs = 1_000;

/** Makes a certificate where there is none that can be served, and does not give up: what is in the way is the API server's. */
export async function begin(parts: Beginning, signal: AbortSignal): Promise<void> {
  const { shared, wait, backoff, done, log } = parts;
  for (let seen = shared.look(); seen.standing.serving === undefined; seen = shared.look()) {
    try {
      const step = firstStep(seen.standing);
      await shared.write(step, seen, signal);
      done(step);
    } catch (error) {
      signal.throwIfAborted();
      const isPassing = hasCode(error, ...passing);
      if (!isPassing) log.error('webhook certificate not made', { error });
      await wait(isPassing ? againMs : backoff.nextDelayMs());
    }
  }
}

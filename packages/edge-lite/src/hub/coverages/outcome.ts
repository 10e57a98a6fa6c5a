import { raceAbort } from '@selvedge/kit';

/** Something that comes once, and may be refused any number of times before. */
export interface Outcome {
  /** Resolves once it has come. Rejects with the next refusal, or with the signal's reason. */
  wait(signal: AbortSignal): Promise<void>;
  come(): void;
  refuse(error: unknown): void;
}

/** Its rejection may go unnoticed: perhaps nobody waits. */
function unheard(): PromiseWithResolvers<void> {
  const next = Promise.withResolvers<void>();
  next.promise.catch(() => undefined);
  return next;
}

/** `come`: it is there already. */
export function createOutcome(come: boolean): Outcome {
  let pending = unheard();
  let came = come;
  if (came) pending.resolve();
  return {
    wait: (signal) => raceAbort(pending.promise, signal),
    come() {
      came = true;
      pending.resolve();
    },
    refuse(error) {
      if (came) return;
      const refused = pending;
      pending = unheard();
      refused.reject(error);
    },
  };
}

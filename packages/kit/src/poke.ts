import type { Clock } from './clock.ts';
import { raceAbort, scoped } from './scope.ts';

/** A sleep that can be cut short. One waits, any number may poke; nothing that is poked is lost. */
export interface Poke {
  /** Ends the wait that is under way, else the next one at once. */
  poke(): void;
  /** Resolves after `ms` (undefined: never) or when poked. Rejects with the signal's reason. */
  wait(ms: number | undefined, signal: AbortSignal): Promise<void>;
}

export function createPoke(clock: Pick<Clock, 'sleep'>): Poke {
  let poked = Promise.withResolvers<void>();
  return {
    poke() {
      poked.resolve();
    },
    async wait(ms, signal) {
      using scope = scoped(signal);
      const early = raceAbort(poked.promise, scope.signal);
      const late = ms === undefined ? early : clock.sleep(ms, scope.signal);
      try {
        await Promise.race([early, late]);
      } finally {
        scope.abort();
        await Promise.allSettled([early, late]);
        poked = Promise.withResolvers<void>();
      }
    },
  };
}

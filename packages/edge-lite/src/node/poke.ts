import { type Clock, scoped } from '@selvedge/kit';

/** Ends a wait early. Pokes that come while nobody waits end the next wait at once. */
export interface Poke {
  poke(): void;
  /** Resolves after `ms`, or at the next poke. Rejects with the signal's reason. */
  wait(ms: number, signal: AbortSignal): Promise<void>;
}

export function createPoke(clock: Pick<Clock, 'sleep'>): Poke {
  let poked = false;
  let wake: (() => void) | undefined;
  return {
    poke() {
      poked = true;
      wake?.();
    },
    async wait(ms, signal) {
      using scope = scoped(signal);
      if (!poked) {
        wake = () => scope.abort();
        await clock.sleep(ms, scope.signal).catch(() => undefined);
        wake = undefined;
      }
      poked = false;
      signal.throwIfAborted();
    },
  };
}

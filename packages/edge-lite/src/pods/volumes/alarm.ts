import { type Clock, raceAbort, scoped } from '@selvedge/kit';

/** A wait that can be cut short. */
export interface Alarm {
  /** Ends the wait that is under way, or the next one at once. */
  ring(): void;
  /** Resolves after `ms` (never, if undefined) or when it is rung. */
  wait(ms: number | undefined, signal: AbortSignal): Promise<void>;
}

export function createAlarm(clock: Pick<Clock, 'sleep'>): Alarm {
  let rung = Promise.withResolvers<void>();
  return {
    ring() {
      rung.resolve();
    },
    async wait(ms, signal) {
      using scope = scoped(signal);
      const early = raceAbort(rung.promise, scope.signal);
      const late = ms === undefined ? early : clock.sleep(ms, scope.signal);
      try {
        await Promise.race([early, late]);
      } finally {
        scope.abort();
        await Promise.allSettled([early, late]);
        rung = Promise.withResolvers<void>();
      }
    },
  };
}

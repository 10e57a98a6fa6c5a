import { type Clock, systemClock } from '@selvedge/kit';

/** Time that passes when somebody waits for it. */
export function hastyClock(): Clock {
  let passedMs = 0;
  return {
    now: () => systemClock.now(),
    monotonicMs: () => passedMs,
    sleep(ms) {
      passedMs += ms;
      return Promise.resolve();
    },
  };
}

import { type Clock, type Logger, type Service, createTaskGroup } from '@selvedge/kit';
import type { Systemd } from './systemd.ts';

export interface WatchdogDeps {
  readonly systemd: Pick<Systemd, 'notify' | 'watchdogMs'>;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * Tells systemd twice in each of its periods that the program is alive: that its timers fire and that it can start programs. One
 * that hangs tells nothing, and is started again. Does nothing without a watchdog. Source: sd_watchdog_enabled(3).
 */
export function createWatchdog({ systemd, clock, log }: WatchdogDeps): Service {
  const tasks = createTaskGroup(
    { name: 'watchdog' },
    { onFailure: (error) => log.error('the watchdog is not told any more', { error }) },
  );
  return {
    name: 'watchdog',
    async start() {
      const { watchdogMs } = systemd;
      if (watchdogMs === undefined) return;
      tasks.run('tell', async (signal) => {
        for (;;) {
          await systemd.notify('WATCHDOG=1');
          await clock.sleep(watchdogMs / 2, signal);
        }
      });
    },
    stop: () => tasks.stop(),
  };
}

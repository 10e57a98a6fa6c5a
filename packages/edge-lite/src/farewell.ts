import { type Clock, type Logger, type Service, hasCode, withDeadline } from '@selvedge/kit';
import type { Systemd } from './systemd.ts';

export interface FarewellOptions {
  /** How long each step may take when the machine goes down, in milliseconds. */
  readonly machineTimeoutMs: number;
}

export interface FarewellDeps {
  readonly systemd: Pick<Systemd, 'notify' | 'shutdown'>;
  readonly clock: Clock;
  readonly log: Logger;
  /** Called together when the machine goes down: tell the cluster, which may be out of reach, and end the pods. */
  readonly onMachineShutdown: readonly ((signal: AbortSignal) => Promise<void>)[];
}

/**
 * The first to be stopped. A restart of the agent leaves containers and Node alone; a shutdown of the machine is told
 * and ends the pods within their grace.
 */
export function createFarewell(options: FarewellOptions, deps: FarewellDeps): Service {
  const { systemd, clock, log } = deps;
  let started = false;
  const step = async (work: (signal: AbortSignal) => Promise<void>): Promise<void> => {
    const deadline = { what: 'ending for a shutdown', timeoutMs: options.machineTimeoutMs };
    try {
      await withDeadline(deadline, clock, work);
    } catch (error) {
      log.warn('shutdown step failed', { error, late: hasCode(error, 'DeadlineExceeded') });
    }
  };
  return {
    name: 'farewell',
    async start() {
      started = true;
    },
    async stop() {
      await systemd.notify('STOPPING=1');
      if (!started || (await systemd.shutdown()) === 'restart') return;
      log.info('the machine is shutting down');
      await Promise.all(deps.onMachineShutdown.map(step));
    },
  };
}

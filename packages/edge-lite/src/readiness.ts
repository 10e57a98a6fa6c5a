import { type Logger, type Service, createTaskGroup } from '@selvedge/kit';
import type { Systemd } from './systemd.ts';

export interface ReadinessDeps {
  readonly systemd: Pick<Systemd, 'notify'>;
  readonly log: Logger;
  /** Resolves once the node knows what it has to do. */
  readonly synced: (signal: AbortSignal) => Promise<void>;
}

/** Says once that the node is at work: the log line `synced` and systemd's `READY=1`. */
export function createReadiness({ systemd, log, synced }: ReadinessDeps): Service {
  const tasks = createTaskGroup(
    { name: 'readiness' },
    { onFailure: (error) => log.error('readiness failed', { error }) },
  );
  return {
    name: 'readiness',
    async start() {
      tasks.run('synced', async (signal) => {
        await synced(signal);
        log.info('synced');
        await systemd.notify('READY=1');
      });
    },
    stop: () => tasks.stop(),
  };
}

import { SelvedgeError } from './errors.ts';
import type { Logger } from './log.ts';

/** Something that runs. Constructing it does no I/O. */
export interface Service {
  /** Names the service in logs and errors. */
  readonly name: string;
  /** Resolves once it runs; `signal` gives up the start. Called at most once. */
  start(signal: AbortSignal): Promise<void>;
  /** Resolves once nothing of it is left. Safe after a failed or unfinished start. Idempotent. */
  stop(): Promise<void>;
}

async function stopAll(services: readonly Service[], log: Logger): Promise<void> {
  const failures: unknown[] = [];
  for (const service of services.toReversed()) {
    try {
      await service.stop();
      log.debug('service stopped', { service: service.name });
    } catch (error) {
      failures.push(error);
      log.error('service did not stop cleanly', { service: service.name, error });
    }
  }
  if (failures.length === 0) return;
  const cause = failures.length === 1 ? failures[0] : new AggregateError(failures);
  throw new SelvedgeError(`${failures.length} service(s) did not stop cleanly`, { code: 'Internal', cause });
}

/** Starts `services` in order and stops them in reverse, those that only half started too. */
export function createServiceGroup(
  options: { readonly name: string; readonly services: readonly Service[] },
  deps: { readonly log: Logger },
): Service {
  const touched: Service[] = [];
  return {
    name: options.name,
    async start(signal) {
      for (const service of options.services) {
        signal.throwIfAborted();
        touched.push(service);
        try {
          await service.start(signal);
        } catch (error) {
          await stopAll(touched.splice(0), deps.log).catch(() => undefined);
          throw error;
        }
        deps.log.debug('service started', { service: service.name });
      }
    },
    stop: () => stopAll(touched.splice(0), deps.log),
  };
}

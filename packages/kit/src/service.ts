import { SelvedgeError } from './errors.ts';
import type { Logger } from './log.ts';
import { aborted } from './scope.ts';

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

/**
 * Starts `services` in order and stops them in reverse, those that only half started too. They are stopped once,
 * whoever asks for it: a start that fails and callers of `stop()` wait for the same end. Stopped, it starts no more.
 */
export function createServiceGroup(
  options: { readonly name: string; readonly services: readonly Service[] },
  deps: { readonly log: Logger },
): Service {
  const touched: Service[] = [];
  let stopping: Promise<void> | undefined;
  const stop = (): Promise<void> => {
    stopping ??= stopAll(touched, deps.log);
    return stopping;
  };
  return {
    name: options.name,
    async start(signal) {
      for (const service of options.services) {
        signal.throwIfAborted();
        if (stopping !== undefined) throw aborted(options.name);
        touched.push(service);
        try {
          await service.start(signal);
        } catch (error) {
          await stop().catch(() => undefined);
          throw error;
        }
        deps.log.debug('service started', { service: service.name });
      }
    },
    stop,
  };
}

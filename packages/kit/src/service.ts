import { SelvedgeError } from './errors.ts';
import type { Logger } from './log.ts';
import { aborted, scoped } from './scope.ts';

/** Something that runs. Constructing it does no I/O. */
export interface Service {
  /** Names the service in logs and errors. */
  readonly name: string;
  /** Resolves once it runs; `signal` gives up the start. Called at most once. */
  start(signal: AbortSignal): Promise<void>;
  /** Resolves once nothing of it is left. Safe after a failed or unfinished start. Idempotent. */
  stop(): Promise<void>;
}

type StopFailure = { readonly error: unknown };

async function stopOne(service: Service, log: Logger): Promise<readonly StopFailure[]> {
  try {
    await service.stop();
    log.debug('service stopped', { service: service.name });
    return [];
  } catch (error) {
    log.error('service did not stop cleanly', { service: service.name, error });
    return [{ error }];
  }
}

function throwStopFailures(failures: readonly StopFailure[]): void {
  const errors = failures.map(({ error }) => error);
  if (errors.length === 0) return;
  const cause = errors.length === 1 ? errors[0] : new AggregateError(errors);
  throw new SelvedgeError(`${errors.length} service(s) did not stop cleanly`, { code: 'Internal', cause });
}

async function stopInReverse(services: readonly Service[], log: Logger): Promise<void> {
  const failures: StopFailure[] = [];
  for (const service of services.toReversed()) failures.push(...(await stopOne(service, log)));
  throwStopFailures(failures);
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
    stopping ??= stopInReverse(touched, deps.log);
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

/**
 * Starts `services` beside each other: one that has to wait holds up none of the others. Its start is through when all
 * of theirs are; when one cannot start the others are stopped, and stopping them does not wait for any of them to start.
 */
export function createServicesBeside(
  options: { readonly name: string; readonly services: readonly Service[] },
  deps: { readonly log: Logger },
): Service {
  const { name, services } = options;
  const begun: Promise<void>[] = [];
  const ended = scoped();
  let stopping: Promise<void> | undefined;
  const stopAll = async (): Promise<void> => {
    ended.abort(aborted(name));
    await Promise.allSettled(begun);
    const touched = begun.length === 0 ? [] : services;
    const failures = await Promise.all(touched.map((service) => stopOne(service, deps.log)));
    throwStopFailures(failures.flat());
  };
  const stop = (): Promise<void> => (stopping ??= stopAll());
  const startOne = async (service: Service, signal: AbortSignal): Promise<void> => {
    await service.start(signal);
    deps.log.debug('service started', { service: service.name });
  };
  return {
    name,
    async start(signal) {
      signal.throwIfAborted();
      if (stopping !== undefined) throw aborted(name);
      using starting = scoped(signal, ended.signal);
      begun.push(...services.map((service) => startOne(service, starting.signal)));
      try {
        await Promise.all(begun);
      } catch (error) {
        await stop().catch(() => undefined);
        throw error;
      }
    },
    stop,
  };
}

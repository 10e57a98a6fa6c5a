import type { Clock } from './clock.ts';
import { SelvedgeError } from './errors.ts';
import type { Logger } from './log.ts';
import { aborted, scoped, withDeadline } from './scope.ts';
import type { Service } from './service.ts';

/** The part of `process` that a long-running program needs. */
export interface ProgramHost {
  on(event: 'SIGINT' | 'SIGTERM' | 'uncaughtException', listener: (subject: unknown) => void): unknown;
  off(event: 'SIGINT' | 'SIGTERM' | 'uncaughtException', listener: (subject: unknown) => void): unknown;
  exit(code: number): never;
}

export interface ProgramOptions {
  readonly service: Service;
  /** How long draining may take, in milliseconds, before the program exits anyway. */
  readonly drainTimeoutMs: number;
  /** Called by the running program when it cannot go on. */
  readonly fatal: Promise<never>;
  /** Exit code of a failure. Default: always 1. */
  readonly exitCode?: (error: unknown) => number;
}

export interface ProgramDeps {
  readonly host: ProgramHost;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * Runs `service` until the first SIGINT or SIGTERM, which drains; a second signal exits at once and a timer bounds
 * both. Resolves with the exit code: 0 drained, else `exitCode(error)`. An uncaught exception is logged and exits.
 */
export async function runProgram(options: ProgramOptions, deps: ProgramDeps): Promise<number> {
  const { host, log, clock } = deps;
  const codeOf = options.exitCode ?? (() => 1);
  using scope = scoped();
  const stopped = Promise.withResolvers<number>();
  const onSignal = (signal: unknown): void => {
    if (scope.signal.aborted) host.exit(1);
    log.info('draining', { signal });
    scope.abort(aborted('program'));
    stopped.resolve(0);
  };
  const onUncaught = (error: unknown): void => {
    log.error('uncaught exception', { error });
    host.exit(codeOf(error));
  };
  const fail = (error: unknown): void => {
    if (scope.signal.aborted) return;
    log.error('program failed', { error });
    stopped.resolve(codeOf(error));
  };
  host.on('SIGINT', onSignal);
  host.on('SIGTERM', onSignal);
  host.on('uncaughtException', onUncaught);
  try {
    options.fatal.catch(fail);
    options.service.start(scope.signal).catch(fail);
    const code = await stopped.promise;
    return await drain(options, deps, code);
  } finally {
    host.off('SIGINT', onSignal);
    host.off('SIGTERM', onSignal);
    host.off('uncaughtException', onUncaught);
    log.debug('program ended', { uptimeMs: Math.round(clock.monotonicMs()) });
  }
}

async function drain(options: ProgramOptions, { clock, log }: ProgramDeps, code: number): Promise<number> {
  const deadline = { what: 'draining', timeoutMs: options.drainTimeoutMs };
  try {
    await withDeadline(deadline, clock, () => options.service.stop());
    return code;
  } catch (error) {
    const hint = 'what was still running is listed above';
    log.error('did not drain', {
      error: new SelvedgeError('drain failed', { code: 'Internal', cause: error, hint }),
    });
    return code === 0 ? 1 : code;
  }
}

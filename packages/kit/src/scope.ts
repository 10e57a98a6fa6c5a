import type { Clock } from './clock.ts';
import { SelvedgeError } from './errors.ts';

/** A child of one or more signals that lets go of them when it is disposed or aborted. */
export interface Scope extends Disposable {
  readonly signal: AbortSignal;
  abort(reason?: unknown): void;
}

/** The reason given when work is stopped on purpose. */
export function aborted(what: string): SelvedgeError {
  return new SelvedgeError(`${what} was stopped`, { code: 'Aborted' });
}

/** Made once: most scopes end so, one for each request, and an error takes longer than all the rest of it. */
const ended = aborted('scope');

/**
 * A signal that aborts with any of `parents`. Unlike `AbortSignal.any` it leaves nothing on a long-lived parent once
 * disposed: `using scope = scoped(signal)`.
 */
export function scoped(...parents: readonly (AbortSignal | undefined)[]): Scope {
  const controller = new AbortController();
  const watched = parents.filter((parent) => parent !== undefined);
  const release = (): void => {
    for (const parent of watched) parent.removeEventListener('abort', onAbort);
  };
  const abort = (reason: unknown = ended): void => {
    release();
    controller.abort(reason);
  };
  function onAbort(event: Event): void {
    abort(event.target instanceof AbortSignal ? event.target.reason : undefined);
  }
  for (const parent of watched) parent.addEventListener('abort', onAbort, { once: true });
  const already = watched.find((parent) => parent.aborted);
  if (already !== undefined) abort(already.reason);
  return { signal: controller.signal, abort, [Symbol.dispose]: release };
}

export interface DeadlineOptions {
  /** What is being waited for; named in the error. */
  readonly what: string;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** Runs `work` with a signal that aborts after `timeoutMs` with code `DeadlineExceeded`, or with the parent. */
export async function withDeadline<T>(
  options: DeadlineOptions,
  clock: Clock,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  using scope = scoped(options.signal);
  using timer = scoped(scope.signal);
  const expire = (): void => {
    const message = `${options.what} took longer than ${options.timeoutMs} ms`;
    scope.abort(new SelvedgeError(message, { code: 'DeadlineExceeded' }));
  };
  const expiry = clock.sleep(options.timeoutMs, timer.signal).then(expire, () => undefined);
  try {
    return await raceAbort(work(scope.signal), scope.signal);
  } finally {
    timer.abort();
    await expiry;
  }
}

/** Settles with `promise`, or rejects with the signal's reason if that comes first. The promise itself goes on. */
export async function raceAbort<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  if (signal.aborted) {
    promise.catch(() => undefined);
    throw signal.reason;
  }
  const { promise: stopped, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => {
    reject(signal.reason);
  };
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([promise, stopped]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

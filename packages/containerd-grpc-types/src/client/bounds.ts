import { type Clock, scoped } from '@selvedge/kit';
import { deadlineError, orDeadline } from './deadline.ts';
import type { CallOptions } from './transport.ts';

/** What ends a call from this side. */
export interface Bounds extends Disposable {
  /** Aborts with the caller, with the transport, or at the deadline. */
  readonly signal: AbortSignal;
  /** What to throw for `error`: why the call was given up, or that the deadline has passed, if so. */
  explain(error: unknown): unknown;
}

/** Why the timer stops when a call ends in time; nobody sees it. */
const inTime = Symbol('in time');

/** Starts the deadline, if there is one. To be disposed when the call has ended. */
export function createBounds(
  call: CallOptions & { readonly path: string; readonly life: AbortSignal },
  clock: Clock,
): Bounds {
  const { path, deadlineMs } = call;
  const deadline = { path, deadlineMs, startedMs: clock.monotonicMs() };
  const scope = scoped(call.signal, call.life);
  if (deadlineMs !== undefined) {
    const expire = (): void => {
      scope.abort(deadlineError(deadline));
    };
    clock.sleep(deadlineMs, scope.signal).then(expire, () => undefined);
  }
  return {
    signal: scope.signal,
    explain(error) {
      const { aborted, reason } = scope.signal;
      return aborted ? reason : orDeadline(error, deadline, clock.monotonicMs());
    },
    [Symbol.dispose]: () => {
      scope.abort(inTime);
    },
  };
}

import { type Clock, type Scope, scoped } from '@selvedge/kit';
import { callError } from './status.ts';

/** Why the timer stops when the call ended in time; nobody sees it. */
const inTime = Symbol('in time');

/** Aborts `scope` with `DeadlineExceeded` unless it is disposed within `deadlineMs`. */
export function startDeadline(
  scope: Scope,
  clock: Clock,
  options: { readonly path: string; readonly deadlineMs: number | undefined },
): Disposable {
  const { path, deadlineMs } = options;
  const timer = scoped(scope.signal);
  if (deadlineMs !== undefined) {
    const message = `no answer within ${deadlineMs} ms`;
    clock.sleep(deadlineMs, timer.signal).then(
      () => {
        scope.abort(callError(path, 'DEADLINE_EXCEEDED', { message }));
      },
      () => undefined,
    );
  }
  return {
    [Symbol.dispose]: () => {
      timer.abort(inTime);
    },
  };
}

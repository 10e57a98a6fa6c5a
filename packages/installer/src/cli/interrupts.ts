import { aborted, scoped } from '@selvedge/kit';
import { exitCodes } from './errors/index.ts';
import type { CliHost } from './host.ts';
import type { Reporter } from './progress/index.ts';

const told = 'stopping after the current operation; press Ctrl-C again to exit immediately';

/** Runs `work` with a signal that the first Ctrl-C aborts. The second ends the program at once. */
export async function interruptible<T>(
  host: Pick<CliHost, 'onInterrupt' | 'exit'>,
  reporter: Reporter,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  using scope = scoped();
  using listening = host.onInterrupt(() => {
    if (scope.signal.aborted) host.exit(exitCodes.interrupted);
    reporter.tell({ kind: 'said', text: told });
    scope.abort(aborted('selvedge'));
  });
  return await work(scope.signal);
}

import { SelvedgeError, explain, isAbort, scoped } from '@selvedge/kit';

const exitCodes = { SIGINT: 130, SIGTERM: 143 } as const;

/**
 * Runs a program that people start: the first Ctrl-C aborts the signal and lets the work clean up, the second ends the
 * process at once. Errors are told on stderr. Resolves to the exit code.
 */
export async function runTool(work: (signal: AbortSignal) => Promise<number>): Promise<number> {
  using scope = scoped();
  let interrupted: number | undefined;
  const listeners = Object.entries(exitCodes).map(([name, exitCode]) => {
    const onSignal = (): void => {
      if (interrupted !== undefined) process.exit(exitCode);
      interrupted = exitCode;
      process.stderr.write('stopping; once more to stop at once\n');
      scope.abort(new SelvedgeError('interrupted', { code: 'Aborted' }));
    };
    process.on(name, onSignal);
    return { name, onSignal };
  });
  try {
    return await work(scope.signal);
  } catch (error) {
    if (interrupted !== undefined && isAbort(error, scope.signal)) return interrupted;
    process.stderr.write(`${explain(error)}\n`);
    return interrupted ?? 1;
  } finally {
    for (const { name, onSignal } of listeners) process.off(name, onSignal);
  }
}

import { SelvedgeError, explain, isAbort, scoped, systemCode } from '@selvedge/kit';

const exitCodes = { SIGINT: 130, SIGPIPE: 141, SIGTERM: 143 } as const;

/** Ends quietly when nobody reads on, as in `hack/bed status | head -1`. */
function endWithReader(error: unknown): void {
  if (systemCode(error) !== 'EPIPE') throw error;
  process.exit(exitCodes.SIGPIPE);
}

/**
 * Runs a program that people start: the first Ctrl-C aborts the signal and lets the work clean up, the second ends the
 * process at once. Errors are told on stderr. Resolves to the exit code.
 */
export async function runTool(work: (signal: AbortSignal) => Promise<number>): Promise<number> {
  using scope = scoped();
  process.stdout.on('error', endWithReader);
  let interrupted: number | undefined;
  const listeners = (['SIGINT', 'SIGTERM'] as const).map((name) => {
    const exitCode = exitCodes[name];
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
    process.stdout.off('error', endWithReader);
    for (const { name, onSignal } of listeners) process.off(name, onSignal);
  }
}

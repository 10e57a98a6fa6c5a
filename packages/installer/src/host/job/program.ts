import { SelvedgeError, hasCode, raceAbort, scoped } from '@selvedge/kit';
import { createOutput, tooMuchOutput } from '../output.ts';
import { type HostCommand, type HostResult, hostDefaults } from '../types.ts';
import { type Exec, type ExecDeps, type ExecOptions, type ExecTarget, openExec } from './exec.ts';
import { createGreeting } from './greeting.ts';
import { programArgv } from './scripts.ts';

export interface ProgramDeps extends ExecDeps {
  /** Told of a program that has begun and whose end nobody waits for any more: it is to be ended. */
  readonly onLeft: (pid: string) => void;
}

/** The way to the node is not there, and nothing was begun: it may be tried again. */
function notBegun(message: string, cause?: unknown): SelvedgeError {
  return new SelvedgeError(message, { code: 'Unavailable', cause, details: { unsent: true } });
}

async function opened(options: ExecOptions, deps: ExecDeps, signal: AbortSignal): Promise<Exec> {
  try {
    return await openExec(options, deps, signal);
  } catch (error) {
    if (signal.aborted || !hasCode(error, 'Unavailable', 'DeadlineExceeded')) throw error;
    throw notBegun(error.message, error);
  }
}

function lost(message: string): SelvedgeError {
  return new SelvedgeError(`how the program ended is not known: ${message}`, {
    code: 'Unavailable',
    hint: 'run the same command again: it goes on where it was',
  });
}

/** The process, once the node has said that it could begin. */
async function greeted(exec: Exec, line: Promise<string>, signal: AbortSignal): Promise<string> {
  const failure = async (): Promise<never> => {
    const end = await exec.ended;
    throw notBegun(end.kind === 'failed' ? end.message : `the shell ended with ${end.exitCode}`);
  };
  const pid = await raceAbort(Promise.race([line, failure()]), signal);
  if (!/^\d+$/.test(pid)) throw notBegun('the shell of the container said what was not understood');
  return pid;
}

/**
 * Runs a program on the node behind the container. Rejects with `Unavailable`, with `details.unsent` if it was not begun, and
 * as `Host.run`.
 */
export async function runProgram(
  { target, command }: { readonly target: ExecTarget; readonly command: HostCommand },
  deps: ProgramDeps,
  within: AbortSignal,
): Promise<HostResult> {
  const { argv, stdin: input = '', maxOutputBytes: maxBytes = hostDefaults.maxOutputBytes } = command;
  const stdin = Buffer.from(input);
  const outputs = { stdout: createOutput(maxBytes), stderr: createOutput(maxBytes) };
  const greeting = createGreeting();
  using scope = scoped(within);
  const onOutput = (stream: keyof typeof outputs, bytes: Buffer): void => {
    const rest = stream === 'stdout' ? greeting.rest(bytes) : bytes;
    if (!outputs[stream].take(rest)) scope.abort(tooMuchOutput(argv[0], maxBytes));
  };
  const what = { target, argv: programArgv(argv, stdin.length), onOutput };
  using exec = await opened(what, deps, scope.signal);
  const pid = await greeted(exec, greeting.line, scope.signal);
  try {
    const fed = exec.write(Buffer.concat([Buffer.from('\n'), stdin]));
    const end = await raceAbort(exec.ended, scope.signal);
    await fed;
    if (end.kind === 'failed') throw lost(end.message);
    return { exitCode: end.exitCode, stdout: outputs.stdout.bytes(), stderr: outputs.stderr.bytes() };
  } catch (error) {
    if (scope.signal.aborted) deps.onLeft(pid);
    throw error;
  }
}

import { SelvedgeError, createBackoff, hasCode, raceAbort, type Random } from '@selvedge/kit';
import { createOutput, tooMuchOutput } from '../output.ts';
import type { HostResult } from '../types.ts';
import { type ExecDeps, type ExecTarget, openExec } from './exec.ts';
import { type Reply, maxReplyBytes, parseReply } from './replies.ts';
import { type ProgramRun, attachArgv } from './scripts.ts';

export interface ProgramOptions {
  readonly target: ExecTarget;
  readonly run: ProgramRun;
  /** Folders of runs that are not needed any more. */
  readonly old: readonly string[];
  /** How long the way to the container may be away. */
  readonly dialTimeoutMs: number;
}

export interface ProgramDeps extends ExecDeps {
  readonly random: Random;
}

type Attached =
  | { readonly kind: 'ended'; readonly result: HostResult }
  | { readonly kind: 'again' }
  /** `heard`: the container was there, and then its connection broke. */
  | { readonly kind: 'cut'; readonly heard: boolean; readonly why: string };

/** Asks for the program once: begins it, if it was not begun, and waits for its end, or as long as the script does. */
async function attach(options: ProgramOptions, deps: ProgramDeps, signal: AbortSignal): Promise<Attached> {
  const { target, run, old } = options;
  const { maxBytes, stdin } = run;
  const outputs = { stdout: createOutput(maxBytes + 1 + maxReplyBytes), stderr: createOutput(maxBytes + 1) };
  const greeting = Promise.withResolvers<void>();
  const onOutput = (stream: keyof typeof outputs, bytes: Buffer): void => {
    outputs[stream].take(bytes);
    if (stream === 'stdout' && bytes.includes('\n')) greeting.resolve();
  };
  using exec = await openExec({ target, argv: attachArgv(run, old), onOutput }, deps, signal);
  await raceAbort(Promise.race([greeting.promise, exec.ended]), signal);
  if (outputs.stdout.bytes().toString().startsWith('new\n')) await raceAbort(exec.write(stdin), signal);
  const end = await raceAbort(exec.ended, signal);
  const printed = outputs.stdout.bytes();
  const reply: Reply = end.kind === 'failed' ? { kind: 'cut' } : parseReply(printed);
  if (reply.kind === 'again') return reply;
  if (reply.kind === 'cut') {
    const why = end.kind === 'failed' ? end.message : 'no answer from the shell';
    return { kind: 'cut', heard: printed.length > 0, why };
  }
  const [stdout, stderr] = [reply.stdout, outputs.stderr.bytes()];
  if (Math.max(stdout.length, stderr.length) > maxBytes) throw tooMuchOutput(run.argv[0], maxBytes);
  return { kind: 'ended', result: { exitCode: reply.exitCode, stdout, stderr } };
}

function lost(error: SelvedgeError): SelvedgeError {
  return new SelvedgeError(`lost track of a running program: ${error.message}`, {
    code: 'Unavailable',
    cause: error,
    hint: 'run the same command again; it resumes where it stopped',
  });
}

/**
 * Runs a program on the node behind the container to its end, over as many connections as that takes: one breaks when a
 * kubelet restarts. Rejects with `Unavailable` once the way there is away for too long, and as `Host.run`.
 */
export async function runProgram(
  options: ProgramOptions,
  deps: ProgramDeps,
  signal: AbortSignal,
): Promise<HostResult> {
  const { clock } = deps;
  const { dialTimeoutMs } = options;
  const backoff = createBackoff({ initialMs: 250, maxMs: 4_000, resetAfterMs: 0 }, deps);
  let heardMs = clock.monotonicMs();
  for (;;) {
    try {
      const reply = await attach(options, deps, signal);
      if (reply.kind === 'ended') return reply.result;
      // A program lasts longer than the way to it may be away: that begins when the connection ends.
      if (reply.kind === 'again' || reply.heard) heardMs = clock.monotonicMs();
      if (reply.kind === 'cut') throw new SelvedgeError(reply.why, { code: 'Unavailable' });
    } catch (error) {
      signal.throwIfAborted();
      if (!hasCode(error, 'Unavailable', 'DeadlineExceeded')) throw error;
      if (clock.monotonicMs() - heardMs >= dialTimeoutMs) throw lost(error);
      await clock.sleep(backoff.nextDelayMs(), signal);
    }
  }
}

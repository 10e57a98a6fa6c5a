import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:os';
import { type Clock, scoped, systemCode, withDeadline } from '@selvedge/kit';
import { createOutput, tooMuchOutput } from './output.ts';
import { type Host, type HostCommand, type HostResult, hostDefaults } from './types.ts';

function exitCodeOf(code: number | null, signal: NodeJS.Signals | null): number {
  return code ?? 128 + (signal === null ? 0 : constants.signals[signal]);
}

/** What a shell tells of a program that it cannot start. Source: POSIX Shell Command Language, 2.8.2. */
function notStarted(cause: Error): HostResult {
  const exitCode = systemCode(cause) === 'ENOENT' ? 127 : 126;
  return { exitCode, stdout: Buffer.alloc(0), stderr: Buffer.from(`${cause.message}\n`) };
}

/** Ends it and what it started: it leads a process group of its own. */
function kill(child: ChildProcess): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    child.kill('SIGKILL');
  }
}

async function finish(command: HostCommand, signal: AbortSignal): Promise<HostResult> {
  signal.throwIfAborted();
  const [program, ...args] = command.argv;
  const maxBytes = command.maxOutputBytes ?? hostDefaults.maxOutputBytes;
  const [stdout, stderr] = [createOutput(maxBytes), createOutput(maxBytes)];
  const ended = Promise.withResolvers<HostResult>();
  using scope = scoped(signal);
  const child = spawn(program, args, { detached: true, stdio: ['pipe', 'pipe', 'pipe'] });
  child.on('error', (cause) => ended.resolve(notStarted(cause)));
  child.on('close', (code, by) => {
    ended.resolve({ exitCode: exitCodeOf(code, by), stdout: stdout.bytes(), stderr: stderr.bytes() });
  });
  scope.signal.addEventListener('abort', () => {
    kill(child);
    ended.reject(scope.signal.reason);
  });
  const take = (output: typeof stdout) => (chunk: Buffer) => {
    if (!output.take(chunk)) scope.abort(tooMuchOutput(program, maxBytes));
  };
  child.stdout.on('data', take(stdout));
  child.stderr.on('data', take(stderr));
  // It may end without having read all.
  child.stdin.on('error', () => undefined);
  child.stdin.end(command.stdin ?? '');
  return await ended.promise;
}

/** This machine. Programs run with the rights of this process. */
export function createLocalHost({ clock }: { readonly clock: Clock }): Host {
  return {
    name: 'this machine',
    run(command, signal) {
      const timeoutMs = command.timeoutMs ?? hostDefaults.timeoutMs;
      const deadline = { what: command.argv[0], timeoutMs, signal };
      return withDeadline(deadline, clock, (within) => finish(command, within));
    },
    // Each program has ended, or was told to, when its `run` has.
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

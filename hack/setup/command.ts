import { type ChildProcess, spawn } from 'node:child_process';
import { SelvedgeError, scoped } from '@selvedge/kit';

export interface Command {
  /** The program and its arguments; never a shell line. */
  readonly argv: readonly [string, ...string[]];
  readonly cwd?: string;
  /** Added to this process's own environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Written to stdin, which is closed otherwise. */
  readonly input?: string | Uint8Array;
  /** Default `capture`; `inherit` shows stdout on this process's stdout, `stderr` on its stderr. */
  readonly stdout?: 'capture' | 'inherit' | 'stderr';
  /** Default `capture`: kept for the error text. */
  readonly stderr?: 'capture' | 'inherit';
  /** Ends the command and everything that it started: SIGTERM, after `graceMs` SIGKILL. */
  readonly signal?: AbortSignal | undefined;
  /** Default 5 s. */
  readonly graceMs?: number;
}

export interface CommandResult {
  readonly exitCode: number;
  /** What was captured, the last mebibyte of it. */
  readonly stdout: string;
  readonly stderr: string;
}

const maxCapturedBytes = 1024 * 1024;
/** What is given for a program that a signal ended. */
const killedExitCode = 128;
const defaultGraceMs = 5_000;
const inherited = { inherit: 'inherit', stderr: 2, capture: 'pipe' } as const;

/** Collects the end of a stream, at most `maxCapturedBytes`. */
function collect(stream: NodeJS.ReadableStream | null): () => string {
  let chunks: Buffer[] = [];
  let size = 0;
  stream?.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    size += chunk.length;
    if (size <= 2 * maxCapturedBytes) return;
    const tail = Buffer.concat(chunks).subarray(-maxCapturedBytes);
    chunks = [tail];
    size = tail.length;
  });
  return () => Buffer.concat(chunks).subarray(-maxCapturedBytes).toString('utf8');
}

function signalGroup(child: ChildProcess, name: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, name);
  } catch {
    // The group is gone already.
  }
}

/** Ends the child's process group when `command.signal` aborts: politely, and after its grace for good. */
function endOnAbort(child: ChildProcess, command: Command): Disposable {
  const scope = scoped(command.signal);
  let killer: NodeJS.Timeout | undefined;
  const end = (): void => {
    signalGroup(child, 'SIGTERM');
    killer = setTimeout(() => {
      signalGroup(child, 'SIGKILL');
    }, command.graceMs ?? defaultGraceMs);
  };
  if (scope.signal.aborted) end();
  scope.signal.addEventListener('abort', end, { once: true });
  return {
    [Symbol.dispose]() {
      scope.signal.removeEventListener('abort', end);
      scope[Symbol.dispose]();
      clearTimeout(killer);
      if (scope.signal.aborted) signalGroup(child, 'SIGKILL');
    },
  };
}

/** Waits for the end; rejects when the program cannot be started. */
function ended(child: ChildProcess, name: string): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', (cause) => {
      reject(new SelvedgeError(`cannot run ${name}`, { code: 'NotFound', cause }));
    });
    child.once('close', (code) => {
      resolve(code ?? killedExitCode);
    });
  });
}

/** Runs a program to its end, whatever its exit code is. Rejects with the signal's reason, or if it cannot start. */
export async function runUnchecked(command: Command): Promise<CommandResult> {
  command.signal?.throwIfAborted();
  const [program, ...args] = command.argv;
  const child = spawn(program, args, {
    ...(command.cwd === undefined ? {} : { cwd: command.cwd }),
    env: { ...process.env, ...command.env },
    stdio: [
      command.input === undefined ? 'ignore' : 'pipe',
      inherited[command.stdout ?? 'capture'],
      inherited[command.stderr ?? 'capture'],
    ],
    detached: true,
  });
  child.stdin?.on('error', () => undefined);
  child.stdin?.end(command.input);
  const [stdout, stderr] = [collect(child.stdout), collect(child.stderr)];
  using guard = endOnAbort(child, command);
  const exitCode = await ended(child, program);
  command.signal?.throwIfAborted();
  return { exitCode, stdout: stdout(), stderr: stderr() };
}

/** Runs a program that must succeed; the error carries the end of what it printed. */
export async function run(command: Command): Promise<CommandResult> {
  const result = await runUnchecked(command);
  if (result.exitCode === 0) return result;
  const said = (result.stderr.trim() || result.stdout.trim()).slice(-2_000);
  const message = `${command.argv.slice(0, 3).join(' ')} failed with exit code ${result.exitCode}`;
  throw new SelvedgeError(said === '' ? message : `${message}: ${said}`, { code: 'Internal' });
}

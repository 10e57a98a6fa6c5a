import { constants } from 'node:os';
import { type Clock, SelvedgeError, createLimiter, scoped, withDeadline } from '@selvedge/kit';
import type { Client, ClientChannel } from 'ssh2';
import { createOutput, tooMuchOutput } from '../output.ts';
import { commandLine } from '../quote.ts';
import { type Host, type HostCommand, type HostResult, hostDefaults } from '../types.ts';
import { connectSsh, sshName } from './connect.ts';
import { type SshOptions, sshDefaults } from './options.ts';

function lost(name: string, cause?: unknown): SelvedgeError {
  return new SelvedgeError(`the connection to ${name} was lost`, {
    code: 'Unavailable',
    cause,
    hint: 'run the same command again; it resumes where it stopped',
  });
}

function open(client: Client, line: string): Promise<ClientChannel> {
  return new Promise((resolve, reject) => {
    client.exec(line, (error, channel) => (error === undefined ? resolve(channel) : reject(error)));
  });
}

/** Source: RFC 4254, 6.10: a signal comes as its name without SIG. */
function exitCodeOf(code: number | null, signal: string | undefined): number {
  const numbers: Readonly<Record<string, number>> = constants.signals;
  return code ?? 128 + (numbers[`SIG${signal?.replace(/^SIG/, '')}`] ?? 0);
}

async function finish(
  channel: ClientChannel,
  command: HostCommand,
  within: AbortSignal,
): Promise<HostResult> {
  const maxBytes = command.maxOutputBytes ?? hostDefaults.maxOutputBytes;
  const [stdout, stderr] = [createOutput(maxBytes), createOutput(maxBytes)];
  const ended = Promise.withResolvers<HostResult>();
  using scope = scoped(within);
  const stop = (): void => {
    channel.signal('KILL');
    channel.destroy();
    ended.reject(scope.signal.reason);
  };
  scope.signal.addEventListener('abort', stop);
  if (scope.signal.aborted) stop();
  const take = (output: typeof stdout) => (chunk: Buffer) => {
    if (!output.take(chunk)) scope.abort(tooMuchOutput(command.argv[0], maxBytes));
  };
  channel.on('data', take(stdout));
  channel.stderr.on('data', take(stderr));
  channel.on('error', ended.reject);
  // It tells what `exit` told: that one may have come before anybody could listen.
  channel.on('close', (code?: number | null, by?: string) => {
    if (code === undefined) return ended.reject(new Error('no exit code received'));
    return ended.resolve({
      exitCode: exitCodeOf(code, by),
      stdout: stdout.bytes(),
      stderr: stderr.bytes(),
    });
  });
  channel.end(command.stdin ?? '');
  return await ended.promise;
}

/** A machine behind SSH, on one connection. Throws as `connectSsh`. */
export async function connectSshHost(
  options: SshOptions,
  { clock }: { readonly clock: Clock },
  signal?: AbortSignal,
): Promise<Host> {
  const client = await connectSsh(options, { clock, signal });
  const name = sshName(options);
  const gone = scoped();
  client.once('close', () => gone.abort(lost(name)));
  const sessions = createLimiter({ capacity: sshDefaults.maxSessions });
  const runWithin = async (command: HostCommand, within: AbortSignal): Promise<HostResult> => {
    try {
      return await finish(await open(client, commandLine(command.argv)), command, within);
    } catch (error) {
      if (within.aborted) throw within.reason;
      throw error instanceof SelvedgeError ? error : lost(name, error);
    }
  };
  return {
    name,
    async run(command, caller) {
      const timeoutMs = command.timeoutMs ?? hostDefaults.timeoutMs;
      using scope = scoped(caller, gone.signal);
      const deadline = { what: command.argv[0], timeoutMs, signal: scope.signal };
      return await sessions.run(scope.signal, () =>
        withDeadline(deadline, clock, (within) => runWithin(command, within)),
      );
    },
    async [Symbol.asyncDispose]() {
      if (gone.signal.aborted) return;
      const closed = Promise.withResolvers<void>();
      client.once('close', closed.resolve);
      client.end();
      const deadline = { what: `the end of the connection to ${name}`, timeoutMs: sshDefaults.endTimeoutMs };
      await withDeadline(deadline, clock, () => closed.promise).catch(() => client.destroy());
    },
  };
}

import { SelvedgeError } from '@selvedge/kit';
import type { Host, HostCommand } from './types.ts';

/** How sudo is used on a machine. */
export interface SudoOptions {
  /** The password of the user. Default: none, so sudo must not ask for one. */
  readonly password?: string;
}

async function asksNothing(host: Host, signal?: AbortSignal): Promise<boolean> {
  const probe = await host.run({ argv: ['sudo', '-n', '-k', 'true'] }, signal);
  return probe.exitCode === 0;
}

function withPassword(command: HostCommand, password: string): HostCommand {
  const { stdin: input = '' } = command;
  const stdin = Buffer.concat([
    Buffer.from(`${password}\n`),
    typeof input === 'string' ? Buffer.from(input) : input,
  ]);
  // -k: the password is asked for each time, so that the line is never what the program itself reads.
  return { ...command, argv: ['sudo', '-k', '-S', '-p', '', '--', ...command.argv], stdin };
}

/**
 * The same machine with programs run as root by sudo. The password goes to sudo on stdin, never into an argument list.
 * Throws `Forbidden` if sudo refuses.
 */
export async function createSudoHost(host: Host, options: SudoOptions, signal?: AbortSignal): Promise<Host> {
  const { password } = options;
  const free = await asksNothing(host, signal);
  if (!free && password === undefined) {
    throw new SelvedgeError(`sudo asks for a password on ${host.name}`, {
      code: 'Forbidden',
      hint: 'use --ask-sudo-password, or allow the user to run sudo without a password',
    });
  }
  const run: Host['run'] = (command, within) =>
    free || password === undefined
      ? host.run({ ...command, argv: ['sudo', '-n', '--', ...command.argv] }, within)
      : host.run(withPassword(command, password), within);
  const sudo: Host = { name: host.name, run, [Symbol.asyncDispose]: () => host[Symbol.asyncDispose]() };
  const { exitCode } = await sudo.run({ argv: ['true'] }, signal);
  if (exitCode === 0) return sudo;
  throw new SelvedgeError(`sudo refuses the user on ${host.name}`, {
    code: 'Forbidden',
    hint: 'check the password, and with `sudo -l` there that the user may run all commands as root',
  });
}

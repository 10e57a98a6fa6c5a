import { SelvedgeError } from '@selvedge/kit';
import type { Host, HostCommand } from './types.ts';

/** How sudo is used on a machine. */
export interface SudoOptions {
  /** The password of the user. Default: none, so sudo must not ask for one. */
  readonly password?: string;
}

/** The line after which the program's own input begins. */
const mark = 'selvedge: input';

/**
 * Whether sudo asks depends on the program, and on rules that nobody here knows. If it does not, the password is what the program
 * would read first: so what is before `$1` goes. `read` takes no more than its line from a pipe. Source: POSIX, `read`.
 */
const afterMark = `
while IFS= read -r line; do
  [ "$line" != "$1" ] || { shift; exec "$@"; }
done
exit 1`;

function withPassword(command: HostCommand, password: string): HostCommand {
  const { stdin: input = '', argv } = command;
  const stdin = Buffer.concat([Buffer.from(`${password}\n${mark}\n`), Buffer.from(input)]);
  // -k: what sudo was told before does not count, so a wrong password shows.
  const sudo = ['sudo', '-k', '-S', '-p', '', '--'] as const;
  return { ...command, argv: [...sudo, 'sh', '-c', afterMark, 'sh', mark, ...argv], stdin };
}

const withoutPassword = (command: HostCommand): HostCommand => ({
  ...command,
  argv: ['sudo', '-n', '--', ...command.argv],
});

async function refuseIfAsked(host: Host, signal?: AbortSignal): Promise<void> {
  const { exitCode } = await host.run({ argv: ['sudo', '-n', '-k', 'true'] }, signal);
  if (exitCode === 0) return;
  throw new SelvedgeError(`sudo asks for a password on ${host.name}`, {
    code: 'Forbidden',
    hint: 'use --ask-sudo-password, or allow the user to run sudo without a password',
  });
}

/**
 * The same machine with programs run as root by sudo. The password goes to sudo on stdin, never into an argument list nor into
 * what programs read, whether sudo asks for it or not. Throws `Forbidden` if sudo refuses.
 */
export async function createSudoHost(host: Host, options: SudoOptions, signal?: AbortSignal): Promise<Host> {
  const { password } = options;
  if (password === undefined) await refuseIfAsked(host, signal);
  const asRoot = (command: HostCommand): HostCommand =>
    password === undefined ? withoutPassword(command) : withPassword(command, password);
  const sudo: Host = {
    name: host.name,
    run: (command, within) => host.run(asRoot(command), within),
    [Symbol.asyncDispose]: () => host[Symbol.asyncDispose](),
  };
  const { exitCode } = await sudo.run({ argv: ['true'] }, signal);
  if (exitCode === 0) return sudo;
  throw new SelvedgeError(`sudo refuses the user on ${host.name}`, {
    code: 'Forbidden',
    hint: 'check the password, and with `sudo -l` there that the user may run all commands as root',
  });
}

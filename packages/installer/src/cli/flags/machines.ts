import { isIP } from 'node:net';
import { SelvedgeError } from '@selvedge/kit';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { parsedBy, wholeNumber } from './common.ts';

/** A server that is dialled: `user@host:port`. */
export interface Endpoint {
  readonly user?: string;
  readonly host: string;
  readonly port?: number;
}

/** How machines are reached. */
export interface MachineFlags {
  /** Absent: no machine is entered, where that is of use. */
  readonly transport?: 'ssh' | 'local' | 'job';
  readonly sshUser?: string;
  readonly sshKey?: readonly string[];
  readonly sshKeyPassphraseFile?: string;
  readonly sshPort?: number;
  readonly bastion?: Endpoint;
  readonly knownHosts?: readonly string[];
  readonly address?: Readonly<Record<string, Endpoint>>;
  readonly askSudoPassword?: boolean;
  readonly sudoPasswordFile?: string;
  readonly jobImage?: string;
  readonly jobNamespace?: string;
}

const lastPort = 65_535;

/** `host`, `user@host`, `user@host:22`, `[2001:db8::1]:22`. Throws `Invalid`. */
export function parseEndpoint(text: string): Endpoint {
  const [, user, bracketed, plain, digits] =
    /^(?:([^@\s]+)@)?(?:\[([^\]\s]+)\]|([^:@\s]+))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  const port = digits === undefined ? undefined : Number(digits);
  if (host === undefined || (port !== undefined && (port < 1 || port > lastPort))) {
    throw new SelvedgeError(`${JSON.stringify(text)} is not an address`, {
      code: 'Invalid',
      hint: 'use host, user@host or user@host:port',
    });
  }
  return { host, ...(user === undefined ? {} : { user }), ...(port === undefined ? {} : { port }) };
}

/** What a person wrote: the address alone, whatever is in it, or an endpoint. Throws `Invalid`. */
export const saidEndpoint = (text: string): Endpoint =>
  isIP(text) === 0 ? parseEndpoint(text) : { host: text };

const endpoint = parsedBy(saidEndpoint);

function address(
  text: string,
  before: Readonly<Record<string, Endpoint>> = {},
): Readonly<Record<string, Endpoint>> {
  const [node = '', where = '', ...rest] = text.split('=');
  if (node === '' || rest.length > 0) throw new InvalidArgumentError('use node=host or node=user@host:port');
  return { ...before, [node]: endpoint(where) };
}

const more = (text: string, before: readonly string[] = []): readonly string[] => [...before, text];

export interface MachinesOptions {
  readonly ways: readonly ('ssh' | 'local' | 'job')[];
  /** Which of them without the flag. */
  readonly usual?: 'ssh' | 'local';
  /** What is done without the flag, if nothing of them. */
  readonly otherwise?: string;
}

/** For commands that look at the API server, and at machines only if they are told how. */
export const machinesIfAsked: MachinesOptions = {
  ways: ['ssh', 'local', 'job'],
  otherwise: 'query the API server only, no machines',
};

const wayTexts = {
  ssh: 'ssh',
  local: 'local: this machine',
  job: 'job: a privileged Job on each node, no SSH needed',
} as const;

function transportOption({ ways, usual, otherwise }: MachinesOptions): Option {
  const texts = ways.map((way) => wayTexts[way]).join('; ');
  const instead = otherwise === undefined ? '' : `. Default: ${otherwise}`;
  const option = new Option('--transport <way>', `how machines are reached: ${texts}${instead}`).choices(
    ways,
  );
  return usual === undefined ? option : option.default(usual);
}

function withSsh(command: Command): Command {
  return command
    .option('--ssh-user <name>', 'user to log in as; default: the current user')
    .option('--ssh-key <file>', 'private key; repeatable. Default: ssh-agent, then ~/.ssh/id_*', more)
    .option(
      '--ssh-key-passphrase-file <file>',
      'file with the passphrase of the keys; /dev/fd/3 reads a file descriptor',
    )
    .option('--ssh-port <port>', 'port of the SSH servers; default: 22', wholeNumber(1, lastPort))
    .option('--bastion <user@host:port>', 'SSH server to connect through (jump host)', endpoint)
    .option(
      '--known-hosts <file>',
      'known SSH host keys; repeatable. Default: ~/.ssh/known_hosts, /etc/ssh/ssh_known_hosts',
      more,
    )
    .option('--ask-sudo-password', 'prompt for the sudo password')
    .option('--sudo-password-file <file>', 'file with the sudo password; /dev/fd/3 reads a file descriptor');
}

/** For commands about nodes of a cluster. */
export function withMachines(
  command: Command,
  options: MachinesOptions = { ways: ['ssh', 'local', 'job'], usual: 'ssh' },
): Command {
  return withSsh(command.addOption(transportOption(options)))
    .option('--address <node=host>', 'address of a machine, if not the one in its Node; repeatable', address)
    .option(
      '--job-image <image>',
      'for --transport job: image to run; default: selvedge.io/node-shell of this version',
    )
    .option(
      '--job-namespace <name>',
      'for --transport job: a namespace that admits privileged pods; default: kube-system',
    );
}

/** For commands about a machine that is no node of a cluster. */
export function withBareMachine(command: Command): Command {
  const transport = transportOption({ ways: ['local', 'ssh'], usual: 'local' });
  return withSsh(command.addOption(transport)).option(
    '--machine <user@host:port>',
    'with --transport ssh: the machine; default: this machine',
  );
}

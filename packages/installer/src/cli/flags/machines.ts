import { type Command, InvalidArgumentError, Option } from 'commander';
import { wholeNumber } from './common.ts';

/** A server that is dialled: `user@host:port`. */
export interface Endpoint {
  readonly user?: string;
  readonly host: string;
  readonly port?: number;
}

/** How machines are reached. */
export interface MachineFlags {
  readonly transport: 'ssh' | 'local' | 'job';
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

/** `host`, `user@host`, `user@host:22`, `[2001:db8::1]:22`. */
export function endpoint(text: string): Endpoint {
  const [, user, bracketed, plain, digits] =
    /^(?:([^@\s]+)@)?(?:\[([^\]\s]+)\]|([^:@\s]+))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  const port = digits === undefined ? undefined : Number(digits);
  if (host === undefined || (port !== undefined && (port < 1 || port > lastPort)))
    throw new InvalidArgumentError('write it as host, user@host or user@host:port');
  return { host, ...(user === undefined ? {} : { user }), ...(port === undefined ? {} : { port }) };
}

function address(
  text: string,
  before: Readonly<Record<string, Endpoint>> = {},
): Readonly<Record<string, Endpoint>> {
  const [node = '', where = '', ...rest] = text.split('=');
  if (node === '' || rest.length > 0)
    throw new InvalidArgumentError('write it as node=host or node=user@host:port');
  return { ...before, [node]: endpoint(where) };
}

const more = (text: string, before: readonly string[] = []): readonly string[] => [...before, text];

export function withMachines(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--transport <way>',
        'how machines are reached; job: one privileged Job on each, without SSH',
      )
        .choices(['ssh', 'local', 'job'])
        .default('ssh'),
    )
    .option('--ssh-user <name>', 'default: who runs this')
    .option(
      '--ssh-key <file>',
      'a private key; may be given several times. Default: the ssh-agent, ~/.ssh/id_*',
      more,
    )
    .option(
      '--ssh-key-passphrase-file <file>',
      'the passphrase of the keys; /dev/fd/3 reads it from a descriptor',
    )
    .option('--ssh-port <port>', 'default: 22', wholeNumber(1, lastPort))
    .option('--bastion <user@host:port>', 'the SSH server in between', endpoint)
    .option(
      '--known-hosts <file>',
      'keys of SSH servers; may be given several times. Default: ~/.ssh/known_hosts, /etc/ssh/ssh_known_hosts',
      more,
    )
    .option(
      '--address <node=host>',
      'where a machine is, if not where its Node says; may be given several times',
      address,
    )
    .option('--ask-sudo-password', 'ask for the password of sudo')
    .option('--sudo-password-file <file>', 'the password of sudo; /dev/fd/3 reads it from a descriptor')
    .option(
      '--job-image <image>',
      'for --transport job: selvedge.io/node-shell, where the nodes pull it from',
    )
    .option(
      '--job-namespace <name>',
      'for --transport job: one that lets privileged pods in; default: kube-system',
    );
}

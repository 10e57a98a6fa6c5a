import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SelvedgeError, hasCode, ifPresent } from '@selvedge/kit';
import {
  type Host,
  type Hosts,
  type Machine,
  type SshOptions,
  connectSshHost,
  createSudoHost,
} from '../../host/index.ts';
import type { Endpoint, MachineFlags } from '../flags/machines.ts';
import type { CliHost } from '../host.ts';
import type { Prompts } from '../prompts.ts';
import { readSecret } from './secrets.ts';
import { readKeys } from './ssh-keys.ts';

async function knownHostsOf(flags: MachineFlags, host: CliHost): Promise<string> {
  const usual = [join(host.person.home, '.ssh/known_hosts'), '/etc/ssh/ssh_known_hosts'];
  const texts = (flags.knownHosts ?? usual).map(async (file) => {
    const text = await ifPresent(readFile(file, 'utf8'));
    if (text !== undefined || flags.knownHosts === undefined) return text ?? '';
    throw new SelvedgeError(`known hosts file ${file} does not exist`, { code: 'Invalid' });
  });
  return (await Promise.all(texts)).join('\n');
}

/** What all machines have in common. */
type Common = Pick<SshOptions, 'keys' | 'agent' | 'knownHosts'> & {
  readonly user: string;
  readonly port?: number;
};

async function commonOf(flags: MachineFlags, host: CliHost, prompts: Prompts | undefined): Promise<Common> {
  const agent = host.env['SSH_AUTH_SOCK'];
  const keys = await readKeys(flags, host, prompts);
  return {
    user: flags.sshUser ?? host.person.name,
    keys,
    knownHosts: await knownHostsOf(flags, host),
    ...(flags.sshPort === undefined ? {} : { port: flags.sshPort }),
    ...(agent === undefined || agent === '' ? {} : { agent }),
  };
}

function optionsOf(common: Common, { bastion }: MachineFlags, to: Endpoint): SshOptions {
  const through = bastion === undefined ? {} : { bastion: { ...common, port: 22, ...bastion } };
  return { ...common, ...through, ...to };
}

function nowhere({ name }: Machine): SelvedgeError {
  return new SelvedgeError(`no address known for machine ${name}: its Node has none`, {
    code: 'Unavailable',
    hint: `use --address ${name}=HOST`,
  });
}

export interface SshHostsOptions {
  readonly flags: MachineFlags;
  readonly host: CliHost;
  readonly prompts: Prompts | undefined;
}

class SshHosts implements Hosts {
  readonly #options: SshHostsOptions;
  readonly #common: Common;
  readonly #sudoPassword: string | undefined;

  constructor(options: SshHostsOptions, common: Common, sudoPassword: string | undefined) {
    this.#options = options;
    this.#common = common;
    this.#sudoPassword = sudoPassword;
  }

  async open(machine: Machine, signal?: AbortSignal): Promise<Host> {
    const said = this.#options.flags.address?.[machine.name];
    // Nodes write their own addresses: a user or a port is only what a person says.
    const endpoints = said === undefined ? machine.addresses.map((address) => ({ host: address })) : [said];
    let failure: unknown = nowhere(machine);
    for (const endpoint of endpoints) {
      try {
        return await this.#connect(endpoint, signal);
      } catch (error) {
        // The next address may be in this network; who refuses us, or is somebody else, does so at each.
        if (!hasCode(error, 'Unavailable')) throw error;
        failure = error;
      }
    }
    throw failure;
  }

  async #connect(endpoint: Endpoint, signal?: AbortSignal): Promise<Host> {
    const { flags, host } = this.#options;
    const options = optionsOf(this.#common, flags, endpoint);
    const connected = await connectSshHost(options, { clock: host.clock }, signal);
    if (options.user === 'root') return connected;
    try {
      const password = this.#sudoPassword;
      return await createSudoHost(connected, password === undefined ? {} : { password }, signal);
    } catch (error) {
      await connected[Symbol.asyncDispose]();
      throw error;
    }
  }
}

/** Machines behind SSH. Asks for what has to be asked for now, once. Throws `Invalid`. */
export async function createSshHosts(options: SshHostsOptions): Promise<Hosts> {
  const { flags, host, prompts } = options;
  const { askSudoPassword, sudoPasswordFile } = flags;
  const common = await commonOf(flags, host, prompts);
  const source = {
    what: `the sudo password of ${common.user}`,
    file: sudoPasswordFile,
    flag: '--sudo-password-file',
  };
  const isNeeded = askSudoPassword === true || sudoPasswordFile !== undefined;
  return new SshHosts(options, common, isNeeded ? await readSecret(source, prompts) : undefined);
}

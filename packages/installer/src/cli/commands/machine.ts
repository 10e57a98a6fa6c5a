import { SelvedgeError } from '@selvedge/kit';
import type { Hosts, Machine } from '../../host/index.ts';
import { type MachineFlags, saidEndpoint } from '../flags/machines.ts';
import type { CliHost } from '../host.ts';
import { createLocalHosts } from '../machines/local-hosts.ts';
import { createSshHosts } from '../machines/ssh-hosts.ts';
import type { Prompts } from '../prompts.ts';

/** A machine that is no node of a cluster yet, or any more. */
export interface BareFlags extends MachineFlags {
  readonly machine?: string;
}

export interface BareMachine {
  readonly machine: Machine;
  readonly hosts: Hosts;
}

/** The machine that is meant, and the way to it. Throws `Invalid`. */
export async function bareMachine(
  flags: BareFlags,
  { host, prompts }: { readonly host: CliHost; readonly prompts: Prompts | undefined },
): Promise<BareMachine> {
  const { machine: address, transport = 'local' } = flags;
  if ((transport === 'ssh') !== (address !== undefined)) {
    throw new SelvedgeError('--machine and --transport ssh must be used together', {
      code: 'Invalid',
      hint: 'omit both for this machine',
    });
  }
  if (address !== undefined)
    return {
      machine: { name: address, addresses: [address] },
      hosts: await createSshHosts({
        flags: { ...flags, address: { [address]: saidEndpoint(address) } },
        host,
        prompts,
      }),
    };
  return { machine: host.machine, hosts: createLocalHosts(host) };
}

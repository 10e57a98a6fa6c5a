import { SelvedgeError } from '@selvedge/kit';
import { type Hosts, type JobOptions, createJobHosts } from '../../host/index.ts';
import type { Cluster } from '../cluster.ts';
import type { MachineFlags } from '../flags/machines.ts';
import type { CliHost } from '../host.ts';
import type { Prompts } from '../prompts.ts';
import { createLocalHosts } from './local-hosts.ts';
import { createSshHosts } from './ssh-hosts.ts';

export interface MachinesDeps {
  readonly host: CliHost;
  readonly prompts: Prompts | undefined;
  readonly cluster: Cluster;
}

/** The Job's image, which is not pulled from anywhere by default. */
function jobOptionsOf({ jobImage: image, jobNamespace: namespace }: MachineFlags): JobOptions {
  if (image === undefined) {
    throw new SelvedgeError('--transport job needs an image', {
      code: 'Invalid',
      hint: 'give --job-image IMAGE',
    });
  }
  return { image, ...(namespace === undefined ? {} : { namespace }) };
}

/** The way to machines that the flags choose. Asks for secrets now, once. Throws `Invalid`. */
export async function createHosts(flags: MachineFlags, deps: MachinesDeps): Promise<Hosts> {
  const { host, prompts, cluster } = deps;
  const { clock, random } = host;
  switch (flags.transport ?? 'ssh') {
    case 'ssh':
      return createSshHosts({ flags, host, prompts });
    case 'local':
      return createLocalHosts(host);
    case 'job':
      return createJobHosts(jobOptionsOf(flags), {
        cluster: cluster.client,
        api: cluster.api,
        clock,
        random,
      });
  }
}

/** The same, if a person chose a way: where it is of use to look at the API server alone. Throws `Invalid`. */
export async function createHostsIfAsked(
  flags: MachineFlags,
  deps: MachinesDeps,
): Promise<Hosts | undefined> {
  return flags.transport === undefined ? undefined : await createHosts(flags, deps);
}

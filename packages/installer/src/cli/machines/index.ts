import { SelvedgeError } from '@selvedge/kit';
import { type Hosts, createJobHosts } from '../../host/index.ts';
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

/** The way to machines that the flags choose. Asks for secrets now, once. Throws `Invalid`. */
export async function createHosts(flags: MachineFlags, deps: MachinesDeps): Promise<Hosts> {
  const { host, prompts, cluster } = deps;
  switch (flags.transport) {
    case 'ssh':
      return createSshHosts({ flags, host, prompts });
    case 'local':
      return createLocalHosts(host);
    case 'job': {
      const { jobImage: image, jobNamespace: namespace } = flags;
      if (image === undefined)
        throw new SelvedgeError('--transport job needs an image', {
          code: 'Invalid',
          hint: 'give --job-image IMAGE',
        });
      const { clock, random } = host;
      const options = { image, ...(namespace === undefined ? {} : { namespace }) };
      return createJobHosts(options, { cluster: cluster.client, api: cluster.api, clock, random });
    }
  }
}

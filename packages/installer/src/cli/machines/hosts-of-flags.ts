import type { NamedNode } from '../../cluster/index.ts';
import { type Hosts, type JobOptions, createJobHosts } from '../../host/index.ts';
import type { Progress } from '../../command/index.ts';
import type { Cluster } from '../cluster.ts';
import { type MachineFlags, saidEndpoint } from '../flags/machines.ts';
import type { NodeFlags } from '../flags/nodes.ts';
import type { CliHost } from '../host.ts';
import type { Prompts } from '../prompts.ts';
import { createLocalHosts } from './local-hosts.ts';
import { createSshHosts } from './ssh-hosts.ts';

/** A node's place may be told with its name. */
export type HostsFlags = MachineFlags & Pick<NodeFlags, 'nodes'>;

export interface MachinesDeps {
  readonly host: CliHost;
  readonly prompts: Prompts | undefined;
  readonly progress: Pick<Progress, 'note'>;
  readonly cluster: Cluster;
}

/** The Job's image is that of the release, which a person brings to the nodes. */
export function jobOptionsOf(
  { jobImage, jobNamespace: namespace }: MachineFlags,
  { version }: Pick<CliHost, 'version'>,
): JobOptions {
  const image = jobImage ?? `selvedge.io/node-shell:${version}`;
  return { image, ...(namespace === undefined ? {} : { namespace }) };
}

/** Of nodes whose place a person told beside their names. Throws `Invalid`. */
function saidOf(nodes: readonly NamedNode[]): NonNullable<MachineFlags['address']> {
  const said = nodes.flatMap(({ name, address }) =>
    address === undefined ? [] : [[name, saidEndpoint(address)] as const],
  );
  return Object.fromEntries(said);
}

/** The way to machines that the flags choose. Asks for secrets now, once. Throws `Invalid`. */
export async function createHosts(flags: HostsFlags, deps: MachinesDeps): Promise<Hosts> {
  const { host, prompts, progress, cluster } = deps;
  const { clock, random } = host;
  switch (flags.transport ?? 'ssh') {
    case 'ssh':
      return createSshHosts({
        flags: { ...flags, address: { ...saidOf(flags.nodes ?? []), ...flags.address } },
        host,
        prompts,
      });
    case 'local':
      return createLocalHosts(host);
    case 'job':
      return createJobHosts(jobOptionsOf(flags, host), {
        cluster: cluster.client,
        api: cluster.api,
        clock,
        random,
        onNote: (text) => progress.note(text),
      });
  }
}

/** The same, if a person chose a way: where it is of use to look at the API server alone. Throws `Invalid`. */
export async function createHostsIfAsked(flags: HostsFlags, deps: MachinesDeps): Promise<Hosts | undefined> {
  return flags.transport === undefined ? undefined : await createHosts(flags, deps);
}

import { createLimiter } from '@selvedge/kit';
import { resources } from '@selvedge/kube';
import type { Lease, Node, Pod } from '@selvedge/kube/types';
import { clusterNodeOf, selectNodes, type ClusterNode, type NodeChoice } from '../../cluster/index.ts';
import { defaultPorts } from '../../places.ts';
import type { CheckedNode, MachineSight } from '../facts.ts';
import type { CheckDeps, CheckOptions } from '../types.ts';
import { limits } from '../../limits.ts';
import { type Reading, type Seen, seenOr } from '../../reading/index.ts';
import { lookAtMachine } from './machine.ts';

function chosen(choice: NodeChoice, nodes: readonly ClusterNode[]): readonly ClusterNode[] {
  const { nodes: names = [], selector } = choice;
  if (names.length === 0 && selector === undefined) return nodes.filter(({ role }) => role === 'worker');
  return selectNodes(choice, nodes);
}

/** Those whose end is the end of what they do: neither a controller nor the kubelet makes them again. */
function barePodsOf(pods: readonly Pod[], node: string): readonly string[] {
  return pods
    .filter(({ spec, metadata }) => spec?.nodeName === node && (metadata.ownerReferences ?? []).length === 0)
    .filter(({ status }) => status?.phase === 'Running')
    .map(({ metadata }) => `${metadata.namespace ?? ''}/${metadata.name ?? ''}`);
}

const leaseTimes = (leases: readonly Lease[]): ReadonlyMap<string, number> =>
  new Map(leases.map(({ metadata, spec }) => [metadata.name ?? '', Date.parse(spec?.renewTime ?? '') || 0]));

/** Nodes as the API server knows them, and their machines where there is a way to them. */
export async function lookAtNodes(
  {
    options,
    pods,
    reading,
  }: {
    readonly options: CheckOptions;
    readonly pods: Seen<readonly Pod[]>;
    readonly reading: Reading;
  },
  { hosts, clock, signal }: CheckDeps,
): Promise<readonly CheckedNode[]> {
  const nodes = await reading.list(resources.nodes);
  const leases = leaseTimes(
    seenOr(await reading.list(resources.leases, { namespace: 'kube-node-lease' }), []),
  );
  // Whether there are those that were chosen, nobody knows then.
  if (nodes.kind !== 'seen') return [];
  const byName = new Map<string, Node>(nodes.value.map((object) => [object.metadata.name ?? '', object]));
  const limiter = createLimiter({ capacity: limits.atATime });
  const machineOf = (node: ClusterNode): Promise<MachineSight> =>
    hosts === undefined
      ? Promise.resolve({ kind: 'unseen' })
      : limiter.run(signal, () => lookAtMachine(node, options.tunnelServers ?? [], { hosts, clock, signal }));
  const look = async (node: ClusterNode): Promise<readonly CheckedNode[]> => {
    const status = byName.get(node.name)?.status;
    if (status?.nodeInfo === undefined) return [];
    return [
      {
        node,
        info: status.nodeInfo,
        kubeletPort: status.daemonEndpoints?.kubeletEndpoint?.Port ?? defaultPorts.kubelet,
        leaseRenewedMs: leases.get(node.name) ?? 0,
        barePods: barePodsOf(seenOr(pods, []), node.name),
        machine: await machineOf(node),
      },
    ];
  };
  return (await Promise.all(chosen(options.choice ?? {}, nodes.value.map(clusterNodeOf)).map(look))).flat();
}

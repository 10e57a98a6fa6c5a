import { createLimiter, hasCode, messageOf } from '@selvedge/kit';
import { resources } from '@selvedge/kube';
import type { Node } from '@selvedge/kube/types';
import { type CloudStatus, cloudStatus } from '../cloud/index.ts';
import { type ClusterNode, clusterNodeOf, selectNodes } from '../cluster/index.ts';
import { type EdgeNodeObject, edgeNodeResource, edgeUnitResource } from '../edge-objects.ts';
import { limits } from '../limits.ts';
import { type Reading, createReading, refuseUnread, seenOr } from '../reading/index.ts';
import { type MachineLook, lookAtMachine } from './machine.ts';
import { nodeStatusOf } from './node.ts';
import type { NodeStatus, StatusDeps, StatusOptions, StatusResult, UnitStatus } from './types.ts';

/** What the API server knows. */
interface Known {
  readonly cloud: CloudStatus;
  readonly units: readonly UnitStatus[];
  readonly nodes: readonly Node[];
  readonly edgeNodes: readonly EdgeNodeObject[] | 'unread';
}

/** Definitions are not there before the cloud's part is, and after it. Throws `Forbidden` where nodes may not be listed. */
async function ask(reading: Reading): Promise<Known> {
  const [nodes, edgeNodes, edgeUnits, cloud] = await Promise.all([
    reading.list(resources.nodes),
    reading.list(edgeNodeResource),
    reading.list(edgeUnitResource),
    cloudStatus(reading),
  ]);
  if (nodes.kind === 'unread') refuseUnread('show the state of nodes', [nodes]);
  const units = seenOr(edgeUnits, []);
  return {
    cloud,
    units: units.map((unit) => ({ name: unit.metadata.name ?? '', counts: unit.status?.counts })),
    nodes: seenOr(nodes, []),
    edgeNodes: edgeNodes.kind === 'unread' ? 'unread' : seenOr(edgeNodes, []),
  };
}

function chosen({ choice = {} }: StatusOptions, nodes: readonly ClusterNode[]): readonly ClusterNode[] {
  const all = (choice.nodes ?? []).length === 0 && choice.selector === undefined;
  return all ? nodes : selectNodes(choice, nodes);
}

/** Looks at all machines to which there is a way. */
async function machinesOf(
  nodes: readonly Pick<ClusterNode, 'name' | 'addresses'>[],
  { hosts, signal }: StatusDeps,
): Promise<readonly (MachineLook | undefined)[]> {
  if (hosts === undefined) return nodes.map(() => undefined);
  const limiter = createLimiter({ capacity: limits.atATime });
  return Promise.all(nodes.map((node) => limiter.run(signal, () => lookAtMachine(node, { hosts, signal }))));
}

async function nodesOf(
  options: StatusOptions,
  known: Known,
  deps: StatusDeps,
): Promise<readonly NodeStatus[]> {
  const nodes = chosen(options, known.nodes.map(clusterNodeOf));
  const machines = await machinesOf(nodes, deps);
  return nodes.map((node, at) =>
    nodeStatusOf({
      node,
      object: known.nodes.find(({ metadata }) => metadata.name === node.name),
      edgeNode:
        known.edgeNodes === 'unread'
          ? 'unread'
          : known.edgeNodes.find(({ metadata }) => metadata.name === node.name),
      machine: machines[at],
    }),
  );
}

/** Machines that were named, with their addresses, can be asked without the API server. */
async function withoutCluster({ choice }: StatusOptions, deps: StatusDeps): Promise<readonly NodeStatus[]> {
  const nodes = (choice?.nodes ?? []).map(({ name, address }) => ({
    name,
    addresses: address === undefined ? [] : [address],
    isLite: false,
    isReady: false,
  }));
  const machines = await machinesOf(nodes, deps);
  return nodes.map((node, at) => nodeStatusOf({ node, edgeNode: 'unread', machine: machines[at] }));
}

/**
 * What is known of an installation and its nodes. Changes nothing. While the API server is away, what machines say that were
 * named with `--nodes name=address`. What may not be read is unknown, and told; but for Nodes: then it throws `Forbidden` with
 * `findings`. Throws `Invalid` and `NotFound` for a choice of nodes that means nothing, and as the API server says.
 */
export async function status(options: StatusOptions, deps: StatusDeps): Promise<StatusResult> {
  const { server } = deps.cluster;
  try {
    const reading = createReading(deps);
    const known = await deps.progress.task('inspect the cluster', () => ask(reading));
    const nodes = await deps.progress.task('inspect the nodes', () => nodesOf(options, known, deps));
    return { server, cloud: known.cloud, units: known.units, nodes, unread: reading.unread };
  } catch (error) {
    const named = (options.choice?.nodes ?? []).length > 0 && deps.hosts !== undefined;
    if (!named || !hasCode(error, 'Unavailable', 'DeadlineExceeded')) throw error;
    const nodes = await withoutCluster(options, deps);
    return { server, away: messageOf(error), cloud: { kind: 'none' }, units: [], nodes, unread: [] };
  }
}

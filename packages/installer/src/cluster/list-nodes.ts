import { type KubeClient, resources } from '@selvedge/kube';
import { type ClusterNode, clusterNodeOf } from './cluster-node.ts';

const requestTimeoutMs = 30_000;

/** All nodes, by name. */
export async function listNodes(
  client: Pick<KubeClient, 'listAll'>,
  signal: AbortSignal,
): Promise<readonly ClusterNode[]> {
  const { items } = await client.listAll(resources.nodes, { timeoutMs: requestTimeoutMs, signal });
  return items.map(clusterNodeOf).toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

import { autonomousCondition, cloudReachable, labels } from '@selvedge/api';
import { type KubeClient, ifFound, mergePatch, resources, strategicMergePatch } from '@selvedge/kube';
import { fieldManager } from '../changes/index.ts';
import { edgeNodeResource } from '../edge-objects.ts';

type Client = Pick<KubeClient, 'get' | 'delete' | 'patch'>;

const requestTimeoutMs = 15_000;
const ours: readonly string[] = [cloudReachable, autonomousCondition];

/**
 * Takes away the conditions of ours from a Node: nobody else does when the hub is gone. Those that remained of an earlier
 * conversion would be taken for what a new hub says.
 */
export async function removeConditions(client: Client, name: string, signal: AbortSignal): Promise<void> {
  const options = { timeoutMs: requestTimeoutMs, signal };
  const { metadata, status } = await client.get(resources.nodes, { name }, options);
  const found = (status?.conditions ?? []).filter(({ type }) => ours.includes(type));
  if (found.length === 0) return;
  const conditions = found.map(({ type }) => ({ type, $patch: 'delete' }));
  const patch = strategicMergePatch({ metadata: { uid: metadata.uid }, status: { conditions } });
  await client.patch(resources.nodes, { name }, { ...options, subresource: 'status', patch, fieldManager });
}

/** cloud-manager may run there again. */
async function removeMark(client: Client, name: string, signal: AbortSignal): Promise<void> {
  const options = { timeoutMs: requestTimeoutMs, signal };
  const { metadata } = await client.get(resources.nodes, { name }, options);
  if (metadata.labels?.[labels.nodeEdge] === undefined) return;
  const patch = mergePatch({ metadata: { uid: metadata.uid, labels: { [labels.nodeEdge]: null } } });
  await client.patch(resources.nodes, { name }, { ...options, patch, fieldManager });
}

/** Takes away what the cloud remembers of an edge node: cloud-manager gives its pods their own tolerations back then. */
export async function removeTraces(client: Client, name: string, signal: AbortSignal): Promise<void> {
  await ifFound(client.delete(edgeNodeResource, { name }, { timeoutMs: requestTimeoutMs, signal }));
  await removeMark(client, name, signal);
  await removeConditions(client, name, signal);
}

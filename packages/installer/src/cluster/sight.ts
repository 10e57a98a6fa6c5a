import { cloudReachable, labels } from '@selvedge/api';
import { type KubeClient, ifFound, resources } from '@selvedge/kube';
import type { NodeCondition } from '@selvedge/kube/types';
import { edgeNodeResource } from '../edge-objects.ts';

/** What the API server says of a node now. Times are the node's own, in milliseconds since 1970. */
export interface NodeSight {
  readonly ready: { readonly isTrue: boolean; readonly reason: string; readonly heartbeatMs: number };
  /** Its hub says that it reaches the cloud; undefined: no hub ever said anything. */
  readonly hub: boolean | undefined;
  readonly leaseRenewedMs: number;
  /** Tunnel sessions by which the cloud reaches it. */
  readonly sessions: number;
  /** The cloud has an EdgeNode of it. */
  readonly isEdge: boolean;
  /** cloud-manager keeps off it. */
  readonly isMarked: boolean;
}

const requestTimeoutMs = 10_000;
const leaseNamespace = 'kube-node-lease';
const timeOf = (time: string | undefined): number => Date.parse(time ?? '') || 0;

function readyOf(conditions: readonly NodeCondition[]): NodeSight['ready'] {
  const ready = conditions.find(({ type }) => type === 'Ready');
  return {
    isTrue: ready?.status === 'True',
    reason: ready === undefined ? 'no condition' : `${ready.reason ?? ''}: ${ready.message ?? ''}`,
    heartbeatMs: timeOf(ready?.lastHeartbeatTime),
  };
}

export async function lookAtNode(
  client: Pick<KubeClient, 'get'>,
  name: string,
  signal: AbortSignal,
): Promise<NodeSight> {
  const options = { timeoutMs: requestTimeoutMs, signal };
  const [node, lease, edgeNode] = await Promise.all([
    client.get(resources.nodes, { name }, options),
    ifFound(client.get(resources.leases, { namespace: leaseNamespace, name }, options)),
    ifFound(client.get(edgeNodeResource, { name }, options)),
  ]);
  const conditions = node.status?.conditions ?? [];
  const hub = conditions.find(({ type }) => type === cloudReachable);
  const sessions = edgeNode?.status?.sessions ?? [];
  return {
    ready: readyOf(conditions),
    hub: hub === undefined ? undefined : hub.status === 'True',
    leaseRenewedMs: timeOf(lease?.spec?.renewTime),
    sessions: sessions.filter(({ direction, state }) => direction === 'reverse' && state === 'live').length,
    isEdge: edgeNode !== undefined,
    isMarked: node.metadata.labels?.[labels.nodeEdge] !== undefined,
  };
}

import { cloudReachable } from '@selvedge/api';
import type { KubeObject } from '@selvedge/kube';
import type { Node, NodeCondition } from '@selvedge/kube/types';
import type { Connectivity } from '../upstream/types.ts';

const time = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`;

/** On the Node, beside the kubelet's own conditions. Undefined as long as nothing is known. */
export function conditionOf(connectivity: Connectivity): NodeCondition | undefined {
  const { kind, sinceMs } = connectivity;
  if (kind === 'connecting') return undefined;
  const offline = kind === 'offline';
  return {
    type: cloudReachable,
    status: offline ? 'False' : 'True',
    reason: offline ? 'Offline' : 'Online',
    message: offline ? `the node is autonomous: ${connectivity.reason}` : `reached by ${connectivity.server}`,
    lastTransitionTime: time(sinceMs),
  };
}

/** The Node with the condition; the same object if it says so already, the time of its last transition aside. */
export function withCondition(node: KubeObject, condition: NodeCondition): KubeObject {
  const { status = {} } = node as Node;
  const { conditions = [] } = status;
  const before = conditions.find(({ type }) => type === condition.type);
  if (before?.status === condition.status && before.message === condition.message) return node;
  const next =
    before === undefined
      ? [...conditions, condition]
      : conditions.map((one) => (one === before ? condition : one));
  return { ...node, status: { ...status, conditions: next } } as KubeObject;
}

import type { Pod, PodCondition } from '@selvedge/kube/types';

const statusOf = ({ status }: Pod, type: string): string | undefined =>
  status?.conditions?.find((condition) => condition.type === type)?.status;

/**
 * Whether the pod is not Ready only because the node-lifecycle controller said so when it gave the node up: as far as its
 * kubelet knew all was well, and the controller changes nothing but this one condition (`MarkPodsNotReady`). Pure.
 */
export function isGivenUp(pod: Pod): boolean {
  const gates = pod.spec?.readinessGates ?? [];
  return (
    pod.status?.phase === 'Running' &&
    pod.metadata.deletionTimestamp === undefined &&
    statusOf(pod, 'Ready') === 'False' &&
    statusOf(pod, 'ContainersReady') === 'True' &&
    gates.every(({ conditionType }) => statusOf(pod, conditionType) === 'True')
  );
}

export const isReady = (conditions: readonly Pick<PodCondition, 'type' | 'status'>[] = []): boolean =>
  conditions.some(({ type, status }) => type === 'Ready' && status === 'True');

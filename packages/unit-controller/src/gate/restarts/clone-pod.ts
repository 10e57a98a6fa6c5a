import { labels } from '@selvedge/api';
import { type KubeObject, type Resource, defineResource, slimMetadata } from '@selvedge/kube';
import type { ContainerStatus, Pod } from '@selvedge/kube/types';

/** Of a pod of a clone, what is kept in memory: names, the labels of its clone, since when it is, how often it restarted. */
export interface ClonePod extends KubeObject {
  /** Of all its containers; those that began anew with the pod are not counted. */
  readonly restarts?: number | undefined;
}

export const clonePodResource: Resource<ClonePod> = defineResource<ClonePod>({
  apiVersion: 'v1',
  kind: 'Pod',
  plural: 'pods',
  namespaced: true,
});

const sum = (statuses: readonly ContainerStatus[] | undefined): number =>
  (statuses ?? []).reduce((total, { restartCount }) => total + restartCount, 0);

/** Sidecars are among the init containers; what `kubectl debug` adds is not the clone's. */
const restartsIn = ({ status }: Pod): number =>
  sum(status?.initContainerStatuses) + sum(status?.containerStatuses);

/** For the store's `keep`. Source: kubernetes.io "Pod Lifecycle", "Sidecar Containers". Pure. */
export function keptClonePod(pod: ClonePod & Pod): ClonePod {
  const { labels: own = {} } = pod.metadata;
  const identity = {
    [labels.unitApp]: own[labels.unitApp] ?? '',
    [labels.unit]: own[labels.unit] ?? '',
    [labels.podTemplate]: own[labels.podTemplate] ?? '',
  };
  const { creationTimestamp } = pod.metadata;
  return {
    metadata: { ...slimMetadata(pod.metadata), labels: identity, creationTimestamp },
    restarts: restartsIn(pod),
  };
}

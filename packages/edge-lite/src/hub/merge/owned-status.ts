import type { NodeStatus, PodStatus } from '@selvedge/kube/types';
import type { HeldResource } from '../replica/types.ts';

/** What of a status the kubelet writes; the rest is somebody else's. */
export interface OwnedStatus<Field extends string = string> {
  /** The type of the status in `schemas`. */
  readonly type: string;
  readonly conditions: ReadonlySet<string>;
  readonly fields: readonly Field[];
  /** Among the fields: never changed once they are there. */
  readonly setOnce: ReadonlySet<string>;
  /** Among the fields: those that the API server wants to agree, one of them changed is all changed. */
  readonly together: readonly (readonly Field[])[];
}

/** Source: `pkg/kubelet/types/pod_status.go`. Readiness gates and others are not the node's to write. */
const pods = {
  type: 'core.v1.PodStatus',
  conditions: new Set<string>([
    'AllContainersRestarting',
    'ContainersReady',
    'DisruptionTarget',
    'Initialized',
    'PodReadyToStartContainers',
    'PodResizeInProgress',
    'PodResizePending',
    'PodScheduled',
    'Ready',
  ]),
  fields: [
    'allocatedResources',
    'containerStatuses',
    'ephemeralContainerStatuses',
    'hostIP',
    'hostIPs',
    'initContainerStatuses',
    'message',
    'observedGeneration',
    'phase',
    'podIP',
    'podIPs',
    'qosClass',
    'reason',
    'resize',
    'resources',
    'startTime',
  ],
  setOnce: new Set<string>(['startTime']),
  together: [
    ['hostIP', 'hostIPs'],
    ['podIP', 'podIPs'],
  ],
} as const satisfies OwnedStatus<keyof PodStatus>;

/** Source: `pkg/kubelet/nodestatus/setters.go`. Which volumes are attached is the attach-detach controller's to say. */
const nodes = {
  type: 'core.v1.NodeStatus',
  conditions: new Set<string>(['DiskPressure', 'MemoryPressure', 'PIDPressure', 'Ready']),
  fields: [
    'addresses',
    'allocatable',
    'capacity',
    'config',
    'daemonEndpoints',
    'declaredFeatures',
    'features',
    'images',
    'nodeInfo',
    'phase',
    'runtimeHandlers',
    'volumesInUse',
  ],
  setOnce: new Set<string>(),
  together: [],
} as const satisfies OwnedStatus<keyof NodeStatus>;

export const ownedStatus = { pods, nodes } as const;

/** Undefined for resources whose status the kubelet does not write. */
export function ownedStatusOf(resource: HeldResource): OwnedStatus | undefined {
  if (resource === 'v1/pods') return pods;
  return resource === 'v1/nodes' ? nodes : undefined;
}

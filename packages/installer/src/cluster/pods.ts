import { type KubeClient, resources } from '@selvedge/kube';
import type { ContainerState, ContainerStatus, ObjectMeta, Pod, PodStatus } from '@selvedge/kube/types';

/** A pod, as far as it tells why a container of it is not there any more. */
export interface PodSight {
  readonly namespace: string;
  readonly name: string;
  /** As the kubelet knows it. */
  readonly uid: string;
  /** Somebody deletes it. */
  readonly isDeleted: boolean;
  /** It runs to an end and is not started again. */
  readonly isOver: boolean;
  readonly isReady: boolean;
  readonly labels: Readonly<Record<string, string>>;
  readonly containers: readonly PodContainer[];
}

export interface PodContainer {
  readonly name: string;
  /** That of now and the one before it. */
  readonly ids: readonly string[];
  readonly isRunning: boolean;
  /** When it ended last, milliseconds since 1970. */
  readonly endedMs?: number;
  /** It ended by itself and stays so. */
  readonly isDone: boolean;
}

const podTimeoutMs = 15_000;
const hashAnnotation = 'kubernetes.io/config.hash';
/** `containerd://ID` → `ID`. */
const bareId = (id = ''): string => id.replace(/^[a-z0-9.-]+:\/\//, '');

/** When its last container ended, if one did. */
function endOf(last: ContainerState | undefined, now: ContainerState | undefined): number | undefined {
  const finished = last?.terminated?.finishedAt ?? now?.terminated?.finishedAt;
  return finished === undefined ? undefined : Date.parse(finished);
}

function containerOf({ name, state, lastState, containerID }: ContainerStatus): PodContainer {
  const ids = [containerID, lastState?.terminated?.containerID].map(bareId);
  const endedMs = endOf(lastState, state);
  return {
    name,
    ids: ids.filter((id) => id !== ''),
    isRunning: state?.running !== undefined,
    isDone: state?.terminated !== undefined,
    ...(endedMs === undefined ? {} : { endedMs }),
  };
}

function containersOf(status: PodStatus | undefined): readonly PodContainer[] {
  return [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])].map(containerOf);
}

const uidOf = ({ annotations, uid = '' }: ObjectMeta): string => annotations?.[hashAnnotation] ?? uid;

function podSightOf({ metadata, status }: Pod): PodSight {
  const { namespace = '', name = '', labels = {}, deletionTimestamp } = metadata;
  const conditions = status?.conditions ?? [];
  return {
    namespace,
    name,
    labels,
    uid: uidOf(metadata),
    isDeleted: deletionTimestamp !== undefined,
    isOver: ['Succeeded', 'Failed'].includes(status?.phase ?? ''),
    isReady: conditions.some((one) => one.type === 'Ready' && one.status === 'True'),
    containers: containersOf(status),
  };
}

/** The pods that are bound to a node. */
export async function listPods(
  client: Pick<KubeClient, 'listAll'>,
  node: string,
  signal: AbortSignal,
): Promise<readonly PodSight[]> {
  const options = { fieldSelector: `spec.nodeName=${node}`, timeoutMs: podTimeoutMs, signal };
  const { items } = await client.listAll(resources.pods, options);
  return items.map(podSightOf);
}

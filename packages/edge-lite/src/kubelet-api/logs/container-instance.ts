import { SelvedgeError } from '@selvedge/kit';
import type { Pod } from '@selvedge/kube/types';

type ContainerStatus = NonNullable<NonNullable<Pod['status']>['containerStatuses']>[number];

const refused = (message: string): SelvedgeError => new SelvedgeError(message, { code: 'Invalid' });

const waitingReasons: Readonly<Record<string, string>> = {
  ErrImagePull: ": image can't be pulled",
  ImagePullBackOff: ': trying and failing to pull image',
};

function whyWaiting({ state }: ContainerStatus): string {
  const { waiting } = state ?? {};
  if (waiting === undefined) return ' - no logs yet';
  return waitingReasons[waiting.reason ?? ''] ?? `: ${waiting.reason ?? ''}`;
}

function current(status: ContainerStatus, title: string): string {
  const { state = {}, lastState = {} } = status;
  if (state.running !== undefined) return status.containerID ?? '';
  const ended = state.terminated ?? lastState.terminated;
  if (ended === undefined) throw refused(`${title} is waiting to start${whyWaiting(status)}`);
  // Where the next instance could not start, only the one before has an id.
  const id = [ended.containerID, lastState.terminated?.containerID].find((each) => (each ?? '') !== '');
  if (id === undefined) throw refused(`${title} is terminated`);
  return id;
}

/**
 * The runtime's id of the instance of a container whose log is wanted. Throws `Invalid` in the words that kubectl shows. Pure.
 * Source: `validateContainerLogStatus` in `pkg/kubelet/kubelet_pods.go`.
 */
export function containerInstance(pod: Pod, name: string, previous: boolean): string {
  const { containerStatuses, initContainerStatuses, ephemeralContainerStatuses } = pod.status ?? {};
  const all = [containerStatuses, initContainerStatuses, ephemeralContainerStatuses];
  const status = all.flatMap((some) => some ?? []).find((one) => one.name === name);
  const title = `container "${name}" in pod "${pod.metadata.name ?? ''}"`;
  if (status === undefined) throw refused(`${title} is not available`);
  const last = status.lastState?.terminated?.containerID ?? '';
  if (previous && last === '') throw refused(`previous terminated ${title} not found`);
  const id = previous ? last : current(status, title);
  return id.replace(/^\w+:\/\//, '');
}

import type {
  Container,
  ContainerState,
  ContainerStatus,
  VolumeMount,
  VolumeMountStatus,
} from '@selvedge/kube/types';

import type { ContainerRecord } from '../../runtime/index.ts';
import { isSidecar, restartsAfter } from '../plan/index.ts';
import type { StatusInput, Waiting } from './input.ts';
import { apiTime, truncateBytes } from './time.ts';

/** All termination messages of a pod together; shared out evenly. Source: `MaxPodTerminationMessageLogLength`. */
const maxMessageBytes = 12 * 1024;

const lost = { reason: 'ContainerStatusUnknown', exitCode: 137 } as const;

interface Place {
  readonly input: StatusInput;
  readonly init: boolean;
}

function messageBytes({ input }: Place): number {
  const spec = input.pod.spec;
  return Math.floor(
    maxMessageBytes / Math.max(1, (spec?.containers.length ?? 0) + (spec?.initContainers?.length ?? 0)),
  );
}

function volumeMount(mount: VolumeMount): VolumeMountStatus {
  const at = { name: mount.name, mountPath: mount.mountPath };
  return mount.readOnly === true ? { ...at, readOnly: true, recursiveReadOnly: 'Disabled' } : at;
}

function hasInit({ input }: Place): boolean {
  return (input.pod.spec?.initContainers ?? []).length > 0;
}

/** What there is to say before the container exists. */
function blank(place: Place, container: Container, previous: ContainerStatus | undefined): ContainerStatus {
  const reason = hasInit(place) ? 'PodInitializing' : 'ContainerCreating';
  const mounts = container.volumeMounts ?? [];
  return {
    name: container.name,
    image: container.image ?? '',
    imageID: '',
    ready: false,
    restartCount: previous?.restartCount ?? 0,
    state: { waiting: { reason } },
    lastState: previous?.lastState ?? {},
    ...(mounts.length === 0 ? {} : { volumeMounts: mounts.map(volumeMount) }),
  };
}

/** A container that is gone from the runtime, of which the last report said that it ran. */
function vanished(place: Place, status: ContainerStatus, previous: ContainerStatus): ContainerStatus {
  if (previous.state?.terminated !== undefined) return previous;
  if (previous.state?.running === undefined || status.lastState?.terminated !== undefined) return status;
  const message =
    'The container could not be located when the pod was deleted.  The container used to be Running';
  const restarted = place.input.pod.metadata.deletionTimestamp === undefined ? 1 : 0;
  return {
    ...status,
    restartCount: status.restartCount + restarted,
    lastState: { terminated: { ...lost, message } },
  };
}

function stateOf(
  place: Place,
  record: ContainerRecord,
  previous: ContainerStatus | undefined,
): ContainerState {
  const containerID = `${place.input.runtimeName}://${record.id}`;
  switch (record.state.kind) {
    case 'running':
      return { running: { startedAt: apiTime(record.state.startedAtMs) } };
    case 'created':
      return { waiting: {} };
    case 'exited': {
      const { exitCode, reason, startedAtMs, finishedAtMs } = record.state;
      const message = truncateBytes(record.state.message, messageBytes(place));
      const said = message === '' ? {} : { message };
      const times = { startedAt: apiTime(startedAtMs), finishedAt: apiTime(finishedAtMs) };
      return {
        terminated: { exitCode, ...(reason === '' ? {} : { reason }), ...said, ...times, containerID },
      };
    }
    case 'unknown': {
      if (previous?.state?.running === undefined) return { waiting: {} };
      const message = 'The container could not be located when the pod was terminated';
      return { terminated: { ...lost, message } };
    }
  }
}

function restartCountOf(record: ContainerRecord, previous: ContainerStatus | undefined): number {
  const before = previous?.restartCount ?? 0;
  const lostNow = record.state.kind === 'unknown' && previous?.state?.running !== undefined;
  return lostNow ? before + 1 : Math.max(before, record.restartCount);
}

function lastStateOf(
  status: ContainerStatus,
  previous: ContainerStatus | undefined,
): ContainerState | undefined {
  const replaced = previous?.containerID !== status.containerID && previous?.state?.terminated !== undefined;
  return replaced ? { terminated: previous.state.terminated } : previous?.lastState;
}

/** What its newest instance, and the one before it, say. */
function recorded(
  place: Place,
  given: {
    readonly blank: ContainerStatus;
    readonly container: Container;
    readonly previous: ContainerStatus | undefined;
  },
  records: readonly [ContainerRecord, ...ContainerRecord[]],
): ContainerStatus {
  const [record, before] = records;
  const { container, previous } = given;
  const requests = container.resources?.requests;
  const linux = record.user;
  const status: ContainerStatus = {
    ...given.blank,
    restartCount: restartCountOf(record, previous),
    image: record.image,
    imageID: record.imageRef,
    containerID: `${place.input.runtimeName}://${record.id}`,
    state: stateOf(place, record, previous),
    resources: container.resources ?? {},
    ...(requests === undefined ? {} : { allocatedResources: requests }),
    ...(linux === undefined
      ? {}
      : { user: { linux: { uid: linux.uid, gid: linux.gid, supplementalGroups: linux.groups } } }),
  };
  const lastState = before === undefined ? lastStateOf(status, previous) : stateOf(place, before, undefined);
  return { ...status, lastState: lastState ?? {} };
}

/** Whether the next round would start it. */
function isDue({ input }: Place, container: Container, record: ContainerRecord | undefined): boolean {
  if (input.pod.metadata.deletionTimestamp !== undefined || input.ended) return false;
  if (record?.state.kind === 'running') return false;
  if (record?.state.kind !== 'exited') return true;
  return restartsAfter(container, input.pod.spec ?? {}, record.state.exitCode);
}

function regularExists({ input }: Place): boolean {
  const names = new Set(input.pod.spec?.containers.map((container) => container.name));
  return input.observed.containers.some(
    (record) => names.has(record.name) && record.state.kind !== 'unknown',
  );
}

/** An init container whose record was cleaned away ended well if the pod got past it. */
function inferred(place: Place, container: Container, status: ContainerStatus): ContainerStatus | undefined {
  if (!place.init || isSidecar(container) || status.state?.waiting === undefined || !regularExists(place))
    return undefined;
  const message =
    'Unable to get init container status from container runtime and pod has been initialized, treat it as exited normally';
  return { ...status, state: { terminated: { reason: 'Completed', message, exitCode: 0 } } };
}

function waitingState(waiting: Waiting): ContainerState {
  return {
    waiting: { reason: waiting.reason, ...(waiting.message === '' ? {} : { message: waiting.message }) },
  };
}

/** Says why it does not run, if it shall and cannot. */
function explained(
  place: Place,
  container: Container,
  found: { readonly status: ContainerStatus; readonly record: ContainerRecord | undefined },
): ContainerStatus {
  const { status, record } = found;
  const done = place.init && !isSidecar(container) && status.state?.terminated?.exitCode === 0;
  const waiting = place.input.waiting.get(container.name);
  if (done || waiting === undefined || !isDue(place, container, record)) return status;
  const lastState = status.state?.terminated === undefined ? status.lastState : status.state;
  return { ...status, lastState, state: waitingState(waiting) };
}

interface Readiness {
  readonly started: boolean;
  readonly ready: boolean;
}

function probed(place: Place, container: Container, status: ContainerStatus): Readiness {
  const verdict = place.input.verdicts.get(status.containerID?.split('://')[1] ?? '');
  const started = container.startupProbe === undefined || verdict?.startup === true;
  return {
    started,
    ready: started && (container.readinessProbe === undefined || verdict?.readiness === true),
  };
}

function readiness(place: Place, container: Container, status: ContainerStatus): Readiness {
  const running = status.state?.running !== undefined;
  if (place.init && !isSidecar(container)) {
    return { started: running, ready: status.state?.terminated?.exitCode === 0 };
  }
  return running ? probed(place, container, status) : { started: false, ready: false };
}

/** A pod that is over has no container that waits: what cannot be accounted for failed. */
function closed(place: Place, status: ContainerStatus): ContainerStatus {
  const open = place.input.ended && status.state?.terminated === undefined;
  const begun = !place.init && (!hasInit(place) || regularExists(place));
  if (!open || !begun) return status;
  const message = 'The container could not be located when the pod was terminated';
  return { ...status, state: { terminated: { ...lost, message } } };
}

function statusOf(
  place: Place,
  container: Container,
  previous: ContainerStatus | undefined,
): ContainerStatus {
  const records = place.input.observed.containers.filter((record) => record.name === container.name);
  const [record, ...older] = records;
  const empty = blank(place, container, previous);
  let status = previous === undefined ? empty : vanished(place, empty, previous);
  if (record !== undefined)
    status = recorded(place, { blank: empty, container, previous }, [record, ...older]);
  const guess = record === undefined ? inferred(place, container, status) : undefined;
  status = guess ?? explained(place, container, { status, record });
  status = closed(place, status);
  return { ...status, ...readiness(place, container, status) };
}

/** `containerStatuses` sorted by name, `initContainerStatuses` in the order of the spec, as the kubelet has them. */
export function containerStatuses(input: StatusInput, kind: 'init' | 'regular'): readonly ContainerStatus[] {
  const init = kind === 'init';
  const place = { input, init };
  const containers = (init ? input.pod.spec?.initContainers : input.pod.spec?.containers) ?? [];
  const before = (init ? input.previous?.initContainerStatuses : input.previous?.containerStatuses) ?? [];
  const statuses = containers.map((container) =>
    statusOf(
      place,
      container,
      before.find(({ name }) => name === container.name),
    ),
  );
  return init ? statuses : statuses.toSorted((a, b) => (a.name < b.name ? -1 : Number(a.name > b.name)));
}

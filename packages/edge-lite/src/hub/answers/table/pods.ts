import type { ContainerState, ContainerStateTerminated, ContainerStatus, Pod } from '@selvedge/kube/types';
import { ageOf, nameOf, or, printer } from './columns.ts';
import { age } from './format.ts';

type PodWithStatus = Pod & { readonly spec: NonNullable<Pod['spec']> };

const statesOf = ({ state = {} }: ContainerStatus): ContainerState => state;

function isSidecar({ spec }: PodWithStatus, name: string): boolean {
  const container = spec.initContainers?.find((one) => one.name === name);
  return container?.restartPolicy === 'Always';
}

function condition({ status }: Pod, type: string): string | undefined {
  return status?.conditions?.find((one) => one.type === type)?.status;
}

function endText({ reason, signal = 0, exitCode }: ContainerStateTerminated): string {
  if (reason !== undefined && reason !== '') return reason;
  return signal === 0 ? `ExitCode:${exitCode}` : `Signal:${signal}`;
}

/** Why a container that is not done yet is not. */
function initBlock({ terminated, waiting }: ContainerState, position: string): string {
  if (terminated !== undefined) return endText(terminated);
  const reason = waiting?.reason ?? '';
  return reason === '' || reason === 'PodInitializing' ? position : reason;
}

/** Why the pod is still being initialized by this container. Undefined: by this one it is not. */
function initReason(pod: PodWithStatus, status: ContainerStatus, at: number): string | undefined {
  const state = statesOf(status);
  if (state.terminated?.exitCode === 0) return undefined;
  if (status.started === true && isSidecar(pod, status.name)) return undefined;
  return `Init:${initBlock(state, `${at}/${pod.spec.initContainers?.length ?? 0}`)}`;
}

/** The init containers that have had their turn, and why the last of them still has. */
function initialization(pod: PodWithStatus): {
  readonly begun: readonly ContainerStatus[];
  readonly reason: string | undefined;
} {
  const statuses = pod.status?.initContainerStatuses ?? [];
  const reasons = statuses.map((status, at) => initReason(pod, status, at));
  const at = reasons.findIndex((reason) => reason !== undefined);
  return at < 0
    ? { begun: statuses, reason: undefined }
    : { begun: statuses.slice(0, at + 1), reason: reasons[at] };
}

interface Running {
  readonly reason: string | undefined;
  readonly errorReason: string | undefined;
  readonly ready: number;
}

/** What the containers say; the first one has the last word. */
function containerReason(status: ContainerStatus): string | undefined {
  const { waiting, terminated } = statesOf(status);
  if (waiting?.reason !== undefined && waiting.reason !== '') return waiting.reason;
  return terminated === undefined ? undefined : endText(terminated);
}

const isReady = (status: ContainerStatus): boolean =>
  containerReason(status) === undefined && status.ready && statesOf(status).running !== undefined;

const failed = (status: ContainerStatus): boolean => {
  const { waiting, terminated } = statesOf(status);
  return (waiting?.reason ?? '') === '' && terminated !== undefined && terminated.exitCode !== 0;
};

function running(statuses: readonly ContainerStatus[]): Running {
  const failure = statuses.find(failed);
  return {
    reason: statuses.map(containerReason).find((reason) => reason !== undefined),
    errorReason: failure && containerReason(failure),
    ready: statuses.filter(isReady).length,
  };
}

/** `Completed` may be said of one container only. */
function settled(pod: Pod, { reason, errorReason, ready }: Running): string | undefined {
  if (reason !== 'Completed') return reason;
  if (ready > 0 && condition(pod, 'Ready') === 'True') return 'Running';
  return errorReason ?? (ready > 0 ? 'NotReady' : reason);
}

function phaseReason({ status }: Pod): string {
  const gated = status?.conditions?.some(
    ({ type, reason }) => type === 'PodScheduled' && reason === 'SchedulingGated',
  );
  return gated === true ? 'SchedulingGated' : or(status?.reason, status?.phase ?? '');
}

function endingReason({ metadata, status }: Pod): string | undefined {
  if (metadata.deletionTimestamp === undefined) return undefined;
  if (status?.reason === 'NodeLost') return 'Unknown';
  const ended = status?.phase === 'Succeeded' || status?.phase === 'Failed';
  return ended ? undefined : 'Terminating';
}

/** How often these were restarted, and when the last one was. */
function restartText(statuses: readonly ContainerStatus[], nowMs: number): string {
  const restarts = statuses.reduce((sum, { restartCount }) => sum + restartCount, 0);
  const ends = statuses.map(({ lastState }) => lastState?.terminated?.finishedAt ?? '');
  const last = ends.toSorted().at(-1) ?? '';
  return restarts === 0 || last === '' ? String(restarts) : `${restarts} (${age(last, nowMs)} ago)`;
}

function isReadySidecar({ started, ready, state }: ContainerStatus): boolean {
  return started === true && ready && state?.terminated?.exitCode !== 0;
}

function containerTotal({ spec }: PodWithStatus): number {
  const sidecars = (spec.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always');
  return spec.containers.length + sidecars.length;
}

/** Ready, status, restarts. */
function stateCells(pod: PodWithStatus, nowMs: number): readonly string[] {
  const { begun, reason } = initialization(pod);
  const sidecars = begun.filter(({ name }) => isSidecar(pod, name));
  const begins = reason !== undefined && condition(pod, 'Initialized') !== 'True';
  const containers = begins ? [] : (pod.status?.containerStatuses ?? []);
  const now = running(containers);
  const ready = sidecars.filter(isReadySidecar).length + now.ready;
  const said = settled(pod, now) ?? reason ?? phaseReason(pod);
  const restarted = begins ? begun : [...sidecars, ...containers];
  return [`${ready}/${containerTotal(pod)}`, endingReason(pod) ?? said, restartText(restarted, nowMs)];
}

function gatesText(pod: PodWithStatus): string {
  const gates = pod.spec.readinessGates ?? [];
  const open = gates.filter(({ conditionType }) => condition(pod, conditionType) === 'True');
  return gates.length === 0 ? '<none>' : `${open.length}/${gates.length}`;
}

const columns = [
  'Name',
  'Ready',
  'Status',
  'Restarts',
  'Age',
  '+IP',
  '+Node',
  '+Nominated Node',
  '+Readiness Gates',
];

export const podPrinter = printer(columns, (object: Pod, nowMs) => {
  const pod: PodWithStatus = {
    ...object,
    spec: { ...object.spec, containers: object.spec?.containers ?? [] },
  };
  const nominated = or(pod.status?.nominatedNodeName);
  const place = [or(pod.status?.podIPs?.[0]?.ip), or(pod.spec.nodeName), nominated, gatesText(pod)];
  return [nameOf(pod), ...stateCells(pod, nowMs), ageOf(pod, nowMs), ...place];
});

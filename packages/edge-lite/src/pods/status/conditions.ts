import type { Container, ContainerStatus, Pod, PodCondition, PodStatus } from '@selvedge/kube/types';

import { isSidecar } from '../plan/index.ts';
import type { PodPhase } from './phase.ts';

/** The conditions that a kubelet owns; those of others are kept as they are. */
const owned = new Set([
  'PodReadyToStartContainers',
  'Initialized',
  'Ready',
  'ContainersReady',
  'PodScheduled',
]);

export interface ConditionInput {
  readonly pod: Pod;
  readonly phase: PodPhase;
  /** Of all containers, init containers too. */
  readonly statuses: readonly ContainerStatus[];
  /** The sandbox is there with its network. */
  readonly sandboxReady: boolean;
}

/** What is said of one condition; time and generation come later. */
type Said = Pick<PodCondition, 'type' | 'status' | 'reason' | 'message'>;

function yes(type: string, reason?: string): Said {
  return reason === undefined ? { type, status: 'True' } : { type, status: 'True', reason };
}

/** Names as Go prints a list of them. */
function list(containers: readonly Container[]): string {
  return `[${containers.map((container) => container.name).join(' ')}]`;
}

function split(
  input: ConditionInput,
  containers: readonly Container[],
  good: (c: Container, s: ContainerStatus) => boolean,
) {
  const of = (container: Container): ContainerStatus | undefined =>
    input.statuses.find(({ name }) => name === container.name);
  return {
    unknown: containers.filter((container) => of(container) === undefined),
    bad: containers.filter((container) => {
      const status = of(container);
      return status !== undefined && !good(container, status);
    }),
  };
}

function complaint(found: ReturnType<typeof split>, word: string): string {
  return [
    ...(found.unknown.length > 0 ? [`containers with unknown status: ${list(found.unknown)}`] : []),
    ...(found.bad.length > 0 ? [`containers with ${word} status: ${list(found.bad)}`] : []),
  ].join(', ');
}

function containersReady(input: ConditionInput): Said {
  const type = 'ContainersReady';
  const sidecars = (input.pod.spec?.initContainers ?? []).filter(isSidecar);
  const found = split(
    input,
    [...sidecars, ...(input.pod.spec?.containers ?? [])],
    (_, status) => status.ready,
  );
  if (input.phase === 'Succeeded' && found.unknown.length === 0)
    return { type, status: 'False', reason: 'PodCompleted' };
  if (input.phase === 'Failed') return { type, status: 'False', reason: 'PodFailed' };
  const message = complaint(found, 'unready');
  return message === '' ? yes(type) : { type, status: 'False', reason: 'ContainersNotReady', message };
}

function initialized(input: ConditionInput): Said {
  const type = 'Initialized';
  const inits = input.pod.spec?.initContainers ?? [];
  const found = split(input, inits, (container, status) =>
    isSidecar(container) ? status.started === true : status.ready,
  );
  if (input.phase === 'Succeeded' && found.unknown.length === 0) return yes(type, 'PodCompleted');
  const regular = new Set(input.pod.spec?.containers.map(({ name }) => name));
  const begun = input.statuses.some(
    ({ name, state }) =>
      regular.has(name) && (state?.running !== undefined || state?.terminated !== undefined),
  );
  const message = begun ? '' : complaint(found, 'incomplete');
  return message === '' ? yes(type) : { type, status: 'False', reason: 'ContainersNotInitialized', message };
}

/** What the pod's readiness gates still lack. Source: KEP-580. */
function closedGates(pod: Pod, foreign: readonly PodCondition[]): readonly string[] {
  return (pod.spec?.readinessGates ?? []).flatMap(({ conditionType }) => {
    const condition = foreign.find(({ type }) => type === conditionType);
    if (condition === undefined) {
      return [`corresponding condition of pod readiness gate "${conditionType}" does not exist.`];
    }
    if (condition.status === 'True') return [];
    return [`the status of pod readiness gate "${conditionType}" is not "True", but ${condition.status}`];
  });
}

function ready(input: ConditionInput, foreign: readonly PodCondition[]): Said {
  const containers = containersReady(input);
  if (containers.status !== 'True') return { ...containers, type: 'Ready' };
  const gates = closedGates(input.pod, foreign);
  if (gates.length === 0) return yes('Ready');
  return { type: 'Ready', status: 'False', reason: 'ReadinessGatesNotReady', message: gates.join(', ') };
}

/** The kubelet's conditions after everybody else's. A transition time is kept while the condition's status stays. */
export function podConditions(
  input: ConditionInput,
  previous: PodStatus | undefined,
  times: {
    readonly now: string;
    readonly disruption?: { readonly reason: string; readonly message: string } | undefined;
  },
): readonly PodCondition[] {
  const foreign = (input.pod.status?.conditions ?? []).filter(({ type }) => !owned.has(type));
  const disrupted: readonly Said[] =
    times.disruption === undefined ? [] : [{ type: 'DisruptionTarget', status: 'True', ...times.disruption }];
  const own: readonly Said[] = [
    ...disrupted,
    { type: 'PodReadyToStartContainers', status: input.sandboxReady ? 'True' : 'False' },
    initialized(input),
    ready(input, foreign),
    containersReady(input),
    yes('PodScheduled'),
  ];
  const { generation } = input.pod.metadata;
  const dated = own.map((said): PodCondition => {
    const before = [...(previous?.conditions ?? []), ...(input.pod.status?.conditions ?? [])].find(
      ({ type }) => type === said.type,
    );
    const kept = before?.status === said.status ? before.lastTransitionTime : undefined;
    return {
      ...said,
      lastTransitionTime: kept ?? times.now,
      ...(generation === undefined ? {} : { observedGeneration: generation }),
    };
  });
  return [...foreign.filter(({ type }) => !dated.some((condition) => condition.type === type)), ...dated];
}

import { isDeepStrictEqual } from 'node:util';
import type { Pod, PodCondition, PodStatus } from '@selvedge/kube/types';

/** A strategic merge patch of a pod's status; the uid is its precondition. */
export interface PodStatusPatch {
  readonly metadata: { readonly uid: string };
  readonly status: Readonly<Record<string, unknown>>;
}

/** Source: `pkg/kubelet/types/pod_status.go`; readiness gates and others are not the node's to write. */
const ownConditions: ReadonlySet<string> = new Set([
  'AllContainersRestarting',
  'ContainersReady',
  'DisruptionTarget',
  'Initialized',
  'PodReadyToStartContainers',
  'PodResizeInProgress',
  'PodResizePending',
  'PodScheduled',
  'Ready',
]);

/** What else of a status the node writes. Fields of others (nominatedNodeName, resourceClaimStatuses, …) stay. */
const replacedFields = [
  'allocatedResources',
  'containerStatuses',
  'ephemeralContainerStatuses',
  'hostIP',
  'initContainerStatuses',
  'message',
  'observedGeneration',
  'phase',
  'podIP',
  'qosClass',
  'reason',
  'resize',
  'resources',
] as const;
/** Lists that the API server merges by address unless it is told otherwise. */
const mergedLists = ['hostIPs', 'podIPs'] as const;

const terminal: ReadonlySet<string | undefined> = new Set(['Succeeded', 'Failed']);

/** Without what the API leaves out: nulls, empty texts, lists and objects. */
function canonical(value: unknown): unknown {
  if (value === null || value === '') return undefined;
  if (Array.isArray(value)) return value.length === 0 ? undefined : value.map(canonical);
  if (typeof value !== 'object') return value;
  const kept = Object.entries(value)
    .map(([key, inner]) => [key, canonical(inner)] as const)
    .filter(([, inner]) => inner !== undefined);
  return kept.length === 0 ? undefined : Object.fromEntries(kept);
}

const same = (a: unknown, b: unknown): boolean => isDeepStrictEqual(canonical(a), canonical(b));

/** What makes a condition another one; its times follow from that. */
const said = ({ status, reason, message, observedGeneration }: PodCondition): unknown => ({
  status,
  reason,
  message,
  observedGeneration,
});

const find = (list: readonly PodCondition[], type: string): PodCondition | undefined =>
  list.find((one) => one.type === type);

/** The time of a transition stays the API server's as long as the status does. */
function conditionPatch(condition: PodCondition, shown: PodCondition | undefined): object {
  const kept = shown?.status === condition.status ? shown.lastTransitionTime : undefined;
  return {
    ...condition,
    reason: condition.reason ?? null,
    message: condition.message ?? null,
    lastTransitionTime: kept ?? condition.lastTransitionTime,
  };
}

function conditionPatches(
  shown: readonly PodCondition[],
  desired: readonly PodCondition[],
): readonly object[] {
  const put = desired.flatMap((condition) => {
    const before = find(shown, condition.type);
    if (!ownConditions.has(condition.type)) return [];
    return before !== undefined && same(said(before), said(condition))
      ? []
      : [conditionPatch(condition, before)];
  });
  const gone = shown
    .filter(({ type }) => ownConditions.has(type) && type !== 'DisruptionTarget')
    .filter(({ type }) => find(desired, type) === undefined);
  return [...put, ...gone.map(({ type }) => ({ type, $patch: 'delete' }))];
}

function fieldPatches(shown: PodStatus, desired: PodStatus): Readonly<Record<string, unknown>> {
  const patches: Record<string, unknown> = {};
  for (const field of replacedFields) {
    if (!same(shown[field], desired[field])) patches[field] = desired[field] ?? null;
  }
  for (const field of mergedLists) {
    if (!same(shown[field], desired[field])) {
      patches[field] = [...(desired[field] ?? []), { $patch: 'replace' }];
    }
  }
  if (shown.startTime === undefined && desired.startTime !== undefined)
    patches['startTime'] = desired.startTime;
  return patches;
}

/**
 * From what the API server shows to what the pod module reports; undefined when nothing differs. A pod that has ended
 * never runs again, so a report that says otherwise is ignored, as the kubelet does.
 */
export function podStatusPatch(shown: Pod, desired: PodStatus): PodStatusPatch | undefined {
  const before = shown.status ?? {};
  if (terminal.has(before.phase) && before.phase !== desired.phase) return undefined;
  const conditions = conditionPatches(before.conditions ?? [], desired.conditions ?? []);
  const status = {
    ...fieldPatches(before, desired),
    ...(conditions.length === 0 ? {} : { conditions }),
  };
  if (Object.keys(status).length === 0) return undefined;
  return { metadata: { uid: shown.metadata.uid ?? '' }, status };
}

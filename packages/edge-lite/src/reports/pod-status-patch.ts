import type { Pod, PodCondition, PodStatus } from '@selvedge/kube/types';
import { isSame, ownedStatus } from '../hub/merge/index.ts';

/** A strategic merge patch of a pod's status; the uid is its precondition. */
export interface PodStatusPatch {
  readonly metadata: { readonly uid: string };
  readonly status: Readonly<Record<string, unknown>>;
}

const { conditions: ownConditions, fields } = ownedStatus.pods;

/** Lists that the API server merges by address unless it is told otherwise. */
const mergedLists: ReadonlySet<string> = new Set(['hostIPs', 'podIPs']);

const terminal: ReadonlySet<string | undefined> = new Set(['Succeeded', 'Failed']);

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
    return before !== undefined && isSame(said(before), said(condition))
      ? []
      : [conditionPatch(condition, before)];
  });
  const gone = shown
    .filter(({ type }) => ownConditions.has(type) && type !== 'DisruptionTarget')
    .filter(({ type }) => find(desired, type) === undefined);
  return [...put, ...gone.map(({ type }) => ({ type, $patch: 'delete' }))];
}

function fieldPatches(shown: PodStatus, desired: PodStatus): Readonly<Record<string, unknown>> {
  const changed = fields.filter((field) => !isSame(shown[field], desired[field]));
  const patches = changed
    .filter((field) => field !== 'startTime' || shown.startTime === undefined)
    .map((field) => {
      const value = desired[field];
      const isMerged = mergedLists.has(field) && Array.isArray(value);
      return [field, isMerged ? [...value, { $patch: 'replace' }] : (value ?? null)] as const;
    });
  return Object.fromEntries(patches);
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

import { isDeepStrictEqual } from 'node:util';
import type { Node, NodeStatus } from '@selvedge/kube/types';
import type { DesiredStatus } from './build-node.ts';
import { stamped } from './conditions.ts';

/** The strategic merge patch from what the API server shows to what should be; undefined when nothing differs. */
export interface StatusPatch {
  readonly metadata: { readonly uid: string };
  readonly status: Readonly<Record<string, unknown>>;
}

export interface PatchInput {
  readonly shown: Node;
  readonly desired: DesiredStatus;
  readonly nowMs: number;
  /** Send the conditions' heartbeat even if nothing else changed. */
  readonly heartbeat: boolean;
}

const plain = (value: unknown): unknown =>
  value === undefined ? undefined : JSON.parse(JSON.stringify(value));

/** `null` for what is no longer there: a strategic merge keeps the keys of a map otherwise. */
function mapPatch(
  shown: Readonly<Record<string, unknown>> | undefined,
  desired: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const gone = Object.keys(shown ?? {}).filter((key) => desired[key] === undefined);
  return { ...desired, ...Object.fromEntries(gone.map((key) => [key, null])) };
}

/** Two addresses may have one type, their merge key: the list is replaced as a whole, as the kubelet does. */
const replaced = (list: readonly unknown[]): readonly unknown[] => [...list, { $patch: 'replace' }];

/** Resources that somebody else advertises (`example.com/gpu`) are kept, and are allocatable as they are. */
function withExtended(shown: NodeStatus, desired: DesiredStatus): DesiredStatus {
  const foreign = Object.entries(shown.capacity ?? {}).filter(
    ([name]) => name.includes('/') && !name.includes('kubernetes.io/'),
  );
  const extended = Object.fromEntries(foreign);
  return {
    ...desired,
    capacity: { ...extended, ...desired.capacity },
    allocatable: { ...extended, ...desired.allocatable },
  };
}

type PatchedField = 'addresses' | 'images' | 'capacity' | 'allocatable' | 'daemonEndpoints' | 'nodeInfo';

function fieldPatches(shown: NodeStatus, desired: DesiredStatus): Readonly<Record<string, unknown>> {
  const patches: Record<string, unknown> = {};
  const differs = (field: PatchedField): boolean =>
    !isDeepStrictEqual(plain(shown[field] ?? []), plain(desired[field] ?? []));
  if (differs('addresses')) patches['addresses'] = replaced(desired.addresses ?? []);
  if (differs('images')) patches['images'] = desired.images;
  for (const field of ['capacity', 'allocatable'] as const) {
    if (differs(field)) patches[field] = mapPatch(shown[field], desired[field] ?? {});
  }
  if (desired.daemonEndpoints !== undefined && differs('daemonEndpoints')) {
    patches['daemonEndpoints'] = desired.daemonEndpoints;
  }
  if (differs('nodeInfo')) patches['nodeInfo'] = mapPatch(record(shown.nodeInfo), record(desired.nodeInfo));
  return patches;
}

const record = (value: object | undefined): Readonly<Record<string, unknown>> => ({ ...value });

/** The free disk space moves all the time, its total and the conditions do not: nothing else is volatile here. */
export function statusPatch({ shown, desired, nowMs, heartbeat }: PatchInput): StatusPatch | undefined {
  const before = shown.status ?? {};
  const patches = fieldPatches(before, withExtended(before, desired));
  const known = before.conditions ?? [];
  const conditionsDiffer = desired.conditions.some(({ type, status, reason, message }) => {
    const same = known.find((one) => one.type === type);
    return same?.status !== status || same.reason !== reason || same.message !== message;
  });
  if (!heartbeat && !conditionsDiffer && Object.keys(patches).length === 0) return undefined;
  const now = `${new Date(nowMs).toISOString().slice(0, 19)}Z`;
  const conditions = stamped(desired.conditions, known, now);
  return { metadata: { uid: shown.metadata.uid ?? '' }, status: { ...patches, conditions } };
}

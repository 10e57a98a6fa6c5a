import { type JsonObject, fieldNamed, isList, isObject, memberOf } from '@selvedge/kube';
import { type Condition, conditionsOf, find, saidAgain, saysSame, turnedSince } from './conditions.ts';
import { type OwnedStatus, ownedStatusOf } from './owned-status.ts';
import { rebasedStatus, statusOf } from './rebase.ts';
import { isSame } from './three-way.ts';
import type { ReplayPatch } from './types.ts';

/** Null for what is gone: a strategic merge keeps the keys of a map otherwise. */
function difference(before: unknown, after: unknown): unknown {
  if (!isObject(before) || !isObject(after)) return after ?? null;
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  const changed = keys.filter((key) => !isSame(memberOf(before, key), memberOf(after, key)));
  return Object.fromEntries(
    changed.map((key) => [key, difference(memberOf(before, key), memberOf(after, key))]),
  );
}

/** Items of a list that is merged by key are told to be all there are. */
function fieldPatch(
  { type }: OwnedStatus,
  name: string,
  values: { before: unknown; after: unknown },
): unknown {
  const { before, after } = values;
  const isMerged = isList(after) && fieldNamed(type, name)?.merges === true;
  return isMerged ? [...after, { $patch: 'replace' }] : difference(before, after);
}

type IsNews = (before: Condition | undefined, after: Condition) => boolean;

const isNews: IsNews = (before, after) => !saysSame(before, after) || turnedSince(before, after);
const isNewsOrAgain: IsNews = (before, after) => isNews(before, after) || saidAgain(before, after);

function conditionPatches(
  before: readonly Condition[],
  after: readonly Condition[],
  counts: IsNews,
): readonly JsonObject[] {
  const put = after
    .map((condition) => [find(before, condition.type), condition] as const)
    .filter(([there, condition]) => counts(there, condition))
    .map(([there, condition]) => ({ ...gone(there, condition), ...condition }));
  const deleted = before
    .filter(({ type }) => find(after, type) === undefined)
    .map(({ type }) => ({ type, $patch: 'delete' }));
  return [...put, ...deleted];
}

/** Members of a condition that it has no more. */
function gone(before: Condition | undefined, after: Condition): JsonObject {
  const keys = Object.keys(before ?? {}).filter((key) => memberOf(after, key) === undefined);
  return Object.fromEntries(keys.map((key) => [key, null]));
}

function statusPatch(
  owned: OwnedStatus,
  { before, after }: { readonly before: JsonObject; readonly after: JsonObject },
  counts: IsNews,
): JsonObject {
  const names = owned.fields.filter((name) => !isSame(memberOf(before, name), memberOf(after, name)));
  const fields = names.map((name) => {
    const values = { before: memberOf(before, name), after: memberOf(after, name) };
    return [name, fieldPatch(owned, name, values)] as const;
  });
  const conditions = conditionPatches(conditionsOf(before), conditionsOf(after), counts);
  return { ...Object.fromEntries(fields), ...(conditions.length === 0 ? {} : { conditions }) };
}

/** See `ReplayPatch`. Undefined as well for a resource whose status the kubelet does not write. */
export const replayPatch: ReplayPatch = (resource, three, { heartbeat } = { heartbeat: false }) => {
  const owned = ownedStatusOf(resource);
  if (owned === undefined) return undefined;
  const [anchor, current, upstream] = [three.anchor, three.current, three.upstream].map(statusOf);
  const before = upstream ?? {};
  const after = rebasedStatus(owned, { anchor: anchor ?? {}, current: current ?? {}, upstream: before });
  const status = statusPatch(owned, { before, after }, heartbeat ? isNewsOrAgain : isNews);
  if (Object.keys(status).length === 0) return undefined;
  return { metadata: { uid: three.anchor.metadata.uid ?? '' }, status };
};

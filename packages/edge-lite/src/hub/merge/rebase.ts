import { type JsonObject, type KubeObject, isObject, memberOf } from '@selvedge/kube';
import type { Rebase } from '../replica/types.ts';
import { conditionsOf, mergedConditions } from './conditions.ts';
import { type OwnedStatus, ownedStatusOf } from './owned-status.ts';
import { type Three, isSame, threeWay } from './three-way.ts';

interface WithStatus extends KubeObject {
  readonly status: JsonObject;
}

export function statusOf(object: KubeObject): JsonObject {
  const status = 'status' in object ? object.status : undefined;
  return isObject(status) ? status : {};
}

const hasEnded = ({ phase }: JsonObject): boolean => phase === 'Succeeded' || phase === 'Failed';

/** A pod that has ended never runs again, and ends in one way only. */
const goesBack = (upstream: JsonObject, current: JsonObject): boolean =>
  hasEnded(upstream) && current['phase'] !== upstream['phase'];

/** Whether something that goes with the field was changed here. */
function changesTogether(
  { together }: OwnedStatus,
  name: string,
  { anchor, current }: Three<JsonObject>,
): boolean {
  const names = together.find((group) => group.includes(name)) ?? [];
  return names.some((other) => !isSame(memberOf(anchor, other), memberOf(current, other)));
}

function field(owned: OwnedStatus, name: string, three: Three<JsonObject>): unknown {
  const [anchor, current, upstream] = [three.anchor, three.current, three.upstream].map((one) =>
    memberOf(one, name),
  );
  if (owned.setOnce.has(name)) return upstream ?? current;
  return changesTogether(owned, name, three) ? current : threeWay({ anchor, current, upstream });
}

/** The status that upstream should show. */
export function rebasedStatus(owned: OwnedStatus, three: Three<JsonObject>): JsonObject {
  const { anchor, current, upstream } = three;
  if (goesBack(upstream, current)) return upstream;
  const conditions = mergedConditions(owned.conditions, {
    anchor: conditionsOf(anchor),
    current: conditionsOf(current),
    upstream: conditionsOf(upstream),
  });
  const entries = owned.fields.map((name) => [name, field(owned, name, three)] as const);
  const isListed = conditions.length > 0 || upstream['conditions'] !== undefined;
  const all = { ...upstream, ...Object.fromEntries(entries), ...(isListed ? { conditions } : {}) };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}

/** See `Rebase`. Of a resource whose status the kubelet does not write, and of another object of the name, the base. */
export const rebase: Rebase = (resource, { anchor, current, base }) => {
  const owned = ownedStatusOf(resource);
  if (owned === undefined || anchor.metadata.uid !== base.metadata.uid) return base;
  const [before, here, there] = [statusOf(anchor), statusOf(current), statusOf(base)];
  const status = rebasedStatus(owned, { anchor: before, current: here, upstream: there });
  const rebased: WithStatus = { ...base, status };
  return isSame(there, status) ? base : rebased;
};

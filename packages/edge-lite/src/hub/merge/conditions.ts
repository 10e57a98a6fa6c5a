import { type JsonObject, isList, isObject } from '@selvedge/kube';
import { type Three, isSame } from './three-way.ts';

/** Of a Pod or a Node. */
export interface Condition extends JsonObject {
  readonly type: string;
  readonly status?: string;
  readonly lastHeartbeatTime?: string | null;
  readonly lastTransitionTime?: string | null;
}

const isCondition = (value: unknown): value is Condition =>
  isObject(value) && typeof value['type'] === 'string';

export const conditionsOf = (status: JsonObject): readonly Condition[] =>
  isList(status['conditions']) ? status['conditions'].filter(isCondition) : [];

export const find = (list: readonly Condition[], type: string): Condition | undefined =>
  list.find((one) => one.type === type);

/** What a condition says; its times only say when. */
function said({
  lastHeartbeatTime: _,
  lastProbeTime: __,
  lastTransitionTime: ___,
  ...rest
}: JsonObject): JsonObject {
  return rest;
}

export const saysSame = (a: Condition | undefined, b: Condition | undefined): boolean =>
  a === undefined || b === undefined ? a === b : isSame(said(a), said(b));

const timeOf = (text: string | null | undefined): number => Date.parse(text ?? '') || 0;

/** Whether the status went there and back since, of which only the time tells. */
export const turnedSince = (before: Condition | undefined, after: Condition): boolean =>
  timeOf(after.lastTransitionTime) > timeOf(before?.lastTransitionTime);

/** Whether the kubelet of a Node has said it again since. */
export const saidAgain = (before: Condition | undefined, after: Condition): boolean =>
  timeOf(after.lastHeartbeatTime) > timeOf(before?.lastHeartbeatTime);

/**
 * One condition that the kubelet owns; undefined: it is not there. What the kubelet changed counts, and in a Node also what
 * it said again after upstream came to another view; of a kubelet that was dead by then nothing is asserted.
 */
function ownCondition({ anchor, current, upstream }: Three<Condition | undefined>): Condition | undefined {
  if (saysSame(anchor, upstream) || saysSame(current, upstream)) return current;
  const heartbeat = current?.lastHeartbeatTime ?? undefined;
  if (heartbeat === undefined) return saysSame(anchor, current) ? upstream : current;
  return timeOf(heartbeat) > timeOf(upstream?.lastTransitionTime) ? current : upstream;
}

/** Upstream's conditions with those that the kubelet changed or said again; those of others stay. */
export function mergedConditions(
  own: ReadonlySet<string>,
  three: Three<readonly Condition[]>,
): readonly Condition[] {
  const { anchor, current, upstream } = three;
  const types = new Set([...upstream, ...current].map(({ type }) => type));
  return Array.from(types, (type) => {
    const there = find(upstream, type);
    if (!own.has(type)) return there;
    return ownCondition({ anchor: find(anchor, type), current: find(current, type), upstream: there });
  }).filter((condition) => condition !== undefined);
}

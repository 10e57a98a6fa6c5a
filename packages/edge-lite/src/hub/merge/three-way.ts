import { isDeepStrictEqual } from 'node:util';
import { type JsonObject, isList, isObject, memberOf } from '@selvedge/kube';

/** Without what the API leaves out: nulls, empty texts, lists and objects. */
export function canonical(value: unknown): unknown {
  if (value === null || value === '') return undefined;
  if (isList(value)) return value.length === 0 ? undefined : value.map(canonical);
  if (!isObject(value)) return value;
  const kept = Object.entries(value)
    .map(([key, inner]) => [key, canonical(inner)] as const)
    .filter(([, inner]) => inner !== undefined);
  return kept.length === 0 ? undefined : Object.fromEntries(kept);
}

/** Whether the API would show both as the same. */
export const isSame = (a: unknown, b: unknown): boolean => isDeepStrictEqual(canonical(a), canonical(b));

export interface Three<T> {
  /** Where both began. */
  readonly anchor: T;
  /** What it became here. */
  readonly current: T;
  /** What it became there. */
  readonly upstream: T;
}

/** Upstream with what was changed here: maps key by key, everything else as a whole. */
export function threeWay({ anchor, current, upstream }: Three<unknown>): unknown {
  if (isSame(anchor, current)) return upstream;
  const there = upstream ?? {};
  if (!isObject(current) || !isObject(there)) return current;
  const before: JsonObject = isObject(anchor) ? anchor : {};
  const keys = new Set([...Object.keys(there), ...Object.keys(current)]);
  const entries = Array.from(keys, (key) => {
    const [a, c, u] = [before, current, there].map((object) => memberOf(object, key));
    return [key, threeWay({ anchor: a, current: c, upstream: u })] as const;
  });
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
}

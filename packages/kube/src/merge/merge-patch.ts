import { type JsonObject, isObject, memberOf } from './json-value.ts';

/** Objects are merged, lists and the rest replaced, null removes. Source: RFC 7396. */
export function mergePatched(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  const before: JsonObject = isObject(target) ? target : {};
  const kept = Object.entries(before).filter(([key]) => !Object.hasOwn(patch, key));
  const put = Object.entries(patch)
    .filter(([, value]) => value !== null)
    .map(([key, value]) => [key, mergePatched(memberOf(before, key), value)] as const);
  return Object.fromEntries([...kept, ...put]);
}

import { invalidPatch } from './invalid-patch.ts';
import { type JsonObject, isList, isObject } from './json-value.ts';

/** Keys of a strategic merge patch that say how to merge. */
export const directive = { patch: '$patch', retainKeys: '$retainKeys' } as const;

/** Before the name of a list, in a key beside it. */
export const prefixes = {
  delete: '$deleteFromPrimitiveList/',
  order: '$setElementOrder/',
} as const;

/** What of the original a patch with `$retainKeys` leaves. */
export function retained(original: JsonObject, patch: JsonObject): JsonObject {
  const keys = patch[directive.retainKeys];
  if (keys === undefined) return original;
  if (!isList(keys)) throw invalidPatch(`${directive.retainKeys} is no list`);
  const kept = new Set(keys);
  const stray = Object.entries(patch).find(
    ([key, value]) => value !== null && !key.startsWith('$') && !kept.has(key),
  );
  if (stray !== undefined) throw invalidPatch(`${directive.retainKeys} leaves out ${stray[0]}`);
  return Object.fromEntries(Object.entries(original).filter(([key]) => kept.has(key)));
}

/** A part of a patch as a value: objects with `$patch` are none, and are left out. */
export function withoutDirectives(value: unknown): unknown {
  if (isList(value)) return value.map(withoutDirectives).filter((item) => item !== undefined);
  if (!isObject(value)) return value;
  if (Object.hasOwn(value, directive.patch)) return undefined;
  const entries = Object.entries(value).map(([key, inner]) => [key, withoutDirectives(inner)] as const);
  return Object.fromEntries(entries.filter(([, inner]) => inner !== undefined));
}

import type { Field } from '../schemas/index.ts';
import { directive } from './directives.ts';
import { invalidPatch } from './invalid-patch.ts';
import { type JsonObject, isObject, withoutNulls } from './json-value.ts';
import { inOrder, keyOf } from './list-order.ts';

export type MergeObjects = (before: JsonObject, patch: JsonObject) => JsonObject;

export interface Lists {
  readonly before: readonly unknown[];
  readonly patch: readonly unknown[];
}

const isDirected = (item: unknown): item is JsonObject =>
  isObject(item) && Object.hasOwn(item, directive.patch);

/** What the items with `$patch` make of the list, and the others. */
function applyDirectives(field: Field, { before, patch }: Lists): Lists {
  const plain = patch.filter((item) => !isDirected(item));
  let left = before;
  let replaces = false;
  for (const item of patch.filter(isDirected)) {
    const how = item[directive.patch];
    if (how === 'replace') replaces = true;
    else if (how === 'delete') left = left.filter((one) => keyOf(field, one) !== keyOf(field, item));
    else throw invalidPatch(`items of ${field.name} have no directive ${JSON.stringify(how)}`);
  }
  return replaces ? { before: plain, patch: [] } : { before: left, patch: plain };
}

function mergeOne(items: readonly unknown[], at: number, merged: unknown): readonly unknown[] {
  return at < 0 ? [...items, merged] : items.with(at, merged);
}

/** A list that is merged by its key, or as a set. */
export function mergeItems(field: Field, lists: Lists, merge: MergeObjects): readonly unknown[] {
  const { before, patch } = applyDirectives(field, lists);
  const items = patch.reduce((all: readonly unknown[], item) => {
    const key = keyOf(field, item);
    const at = all.findIndex((one) => keyOf(field, one) === key);
    const known = all[at];
    return mergeOne(all, at, isObject(known) && isObject(item) ? merge(known, item) : withoutNulls(item));
  }, before);
  const unique = field.mergeKey === '' ? Array.from(new Set(items)) : items;
  return inOrder(field, { items: unique, first: patch, rest: before });
}

import type { Field } from '../schemas/index.ts';
import { directive } from './directives.ts';
import { invalidPatch } from './invalid-patch.ts';
import { isObject, memberOf } from './json-value.ts';

/** What identifies an item of a merged list. */
export function keyOf({ mergeKey }: Field, item: unknown): unknown {
  if (mergeKey === '' && !isObject(item)) return item;
  const key = isObject(item) ? memberOf(item, mergeKey) : undefined;
  if (key === undefined) throw invalidPatch(`an item has no ${mergeKey || 'merge key'}`);
  return key;
}

/** Place by key, of the first item with it. */
function placesOf(field: Field, items: readonly unknown[]): ReadonlyMap<unknown, number> {
  const places = new Map<unknown, number>();
  items.forEach((item, place) => {
    const key = keyOf(field, item);
    if (!places.has(key)) places.set(key, place);
  });
  return places;
}

const sorted = (field: Field, items: readonly unknown[], places: ReadonlyMap<unknown, number>): unknown[] =>
  items.toSorted((a, b) => (places.get(keyOf(field, a)) ?? 0) - (places.get(keyOf(field, b)) ?? 0));

export interface Ordering {
  readonly items: readonly unknown[];
  /** The order of what is in here. */
  readonly first: readonly unknown[];
  /** The order of the rest: each goes before the first item that comes later in here. */
  readonly rest: readonly unknown[];
}

/** The items in the order that a patch asks for, woven with the order of what the server had. */
export function inOrder(field: Field, { items, first, rest }: Ordering): readonly unknown[] {
  const [wanted, known] = [placesOf(field, first), placesOf(field, rest)];
  const isWanted = (item: unknown): boolean => wanted.has(keyOf(field, item));
  const right = sorted(field, items.filter(isWanted), wanted);
  const left = sorted(
    field,
    items.filter((item) => !isWanted(item)),
    known,
  );
  const woven: unknown[] = [];
  for (const item of right) {
    const limit = known.get(keyOf(field, item)) ?? -1;
    while (left.length > 0 && (known.get(keyOf(field, left[0])) ?? Infinity) < limit)
      woven.push(left.shift());
    woven.push(item);
  }
  return [...woven, ...left];
}

const directiveOf = (item: unknown): unknown =>
  isObject(item) ? memberOf(item, directive.patch) : undefined;

/** The patch's items must stand in the order that the patch itself asks for, those to be deleted aside. */
export function checkOrder(
  field: Field,
  { patch, order }: { readonly patch: readonly unknown[]; readonly order: readonly unknown[] },
): void {
  const items = patch.filter((item) => directiveOf(item) !== 'delete');
  if (items.length === 0 || order.length === 0) return;
  let next = 0;
  for (const place of order) {
    while (directiveOf(items[next]) !== undefined) next += 1;
    if (next < items.length && keyOf(field, place) === keyOf(field, items[next])) next += 1;
  }
  // As the API server has it, a last item with a directive must not follow the last one of the order.
  if (next < items.length) throw invalidPatch(`the order of ${field.name} contradicts itself`);
}

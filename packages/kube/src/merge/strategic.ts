import { type Field, fieldNamed } from '../schemas/index.ts';
import { directive, prefixes, retained, withoutDirectives } from './directives.ts';
import { invalidPatch } from './invalid-patch.ts';
import { type JsonObject, isList, isObject, withoutNulls } from './json-value.ts';
import { mergeItems } from './list-items.ts';
import { checkOrder, inOrder } from './list-order.ts';

/** A field that is merged must be one of the type. */
function fieldOf(type: string, key: string): Field {
  const field = fieldNamed(type, key);
  if (field !== undefined) return field;
  throw invalidPatch(`${type} has no field ${JSON.stringify(key)}`);
}

const listOf = (key: string, value: unknown): readonly unknown[] => {
  if (isList(value)) return value;
  throw invalidPatch(`${key} is no list`);
};

const isDirected = (key: string): boolean =>
  key === directive.retainKeys || Object.values(prefixes).some((prefix) => key.startsWith(prefix));

/** One object with what a patch says of it: the state while its fields are taken over one by one. */
class Merge {
  readonly #type: string;
  readonly #result: Map<string, unknown>;
  readonly #patch: JsonObject;

  constructor(type: string, original: JsonObject, patch: JsonObject) {
    this.#type = type;
    this.#result = new Map(Object.entries(retained(original, patch)));
    this.#patch = patch;
  }

  /** Orders take their lists along, deletions come last. */
  run(): JsonObject {
    for (const [key, value] of this.#directed(prefixes.order)) this.#order(key, value);
    for (const [key, value] of Object.entries(this.#patch))
      if (!isDirected(key) && !Object.hasOwn(this.#patch, prefixes.order + key)) this.#put(key, value);
    for (const [key, value] of this.#directed(prefixes.delete)) this.#delete(key, value);
    return Object.fromEntries(this.#result);
  }

  /** Names of fields, with what the keys of this prefix say of them. */
  #directed(prefix: string): readonly (readonly [string, unknown])[] {
    const found = Object.entries(this.#patch).filter(([key]) => key.startsWith(prefix));
    return found.map(([key, value]) => [key.slice(prefix.length), value] as const);
  }

  #put(key: string, value: unknown): void {
    const before = this.#result.get(key);
    if (value === null) this.#result.delete(key);
    else if (isObject(before) && isObject(value))
      this.#result.set(key, strategicMerged(fieldOf(this.#type, key).type, before, value));
    else if (isList(before) && isList(value)) this.#result.set(key, this.#merged(key, before, value));
    else this.#take(key, value);
  }

  #take(key: string, value: unknown): void {
    const taken = withoutDirectives(withoutNulls(value));
    if (taken === undefined) this.#result.delete(key);
    else this.#result.set(key, taken);
  }

  #merged(key: string, before: readonly unknown[], patch: readonly unknown[]): readonly unknown[] {
    const field = fieldOf(this.#type, key);
    if (!field.merges) return patch;
    return mergeItems(field, { before, patch }, (one, other) => strategicMerged(field.type, one, other));
  }

  #delete(key: string, value: unknown): void {
    const before = this.#result.get(key);
    if (!isList(before)) return;
    const gone = new Set(listOf(key, value));
    this.#result.set(
      key,
      before.filter((item) => !gone.has(item)),
    );
  }

  /** The list's own patch is applied here too, and then its items are put in order. */
  #order(key: string, value: unknown): void {
    const field = fieldOf(this.#type, key);
    const order = listOf(key, value);
    const before = this.#result.get(key);
    const patch = this.#patch[key];
    checkOrder(field, { patch: patch === undefined ? [] : listOf(key, patch), order });
    if (patch !== undefined) this.#put(key, patch);
    const after = this.#result.get(key);
    if (after === undefined) return;
    const items = { items: listOf(key, after), first: order, rest: listOf(key, before ?? []) };
    this.#result.set(key, inOrder(field, items));
  }
}

/**
 * The object after a strategic merge patch. Source: kubernetes.io "Update API Objects in Place Using kubectl patch", and
 * the API conventions' "Strategic Merge Patch" for directives.
 */
export function strategicMerged(type: string, original: JsonObject, patch: JsonObject): JsonObject {
  if (!Object.hasOwn(patch, directive.patch)) return new Merge(type, original, patch).run();
  const { [directive.patch]: how, ...rest } = patch;
  if (how === 'replace') return rest;
  if (how === 'delete') return {};
  throw invalidPatch(`there is no directive ${JSON.stringify(how)}`);
}

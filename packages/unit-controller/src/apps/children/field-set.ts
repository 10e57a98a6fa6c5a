import { isDeepStrictEqual } from 'node:util';
import { type JsonObject, isList, isObject } from '@selvedge/kube';

/**
 * Fields that a manager has, as `metadata.managedFields` tells them: `f:<name>` is a field, `k:<keys>` the item of a list
 * that has these keys, `v:<value>` the item that is this value; what has nothing in it is had as a whole.
 * Source: kubernetes.io "Server-Side Apply", structured-merge-diff `fieldpath`.
 */
export type FieldSet = JsonObject;

const isWhole = (fields: JsonObject): boolean => Object.keys(fields).length === 0;

const parsed = (key: string): unknown => JSON.parse(key.slice(2));

/** Keys that the item does not tell are defaults. */
const hasKeys = (item: unknown, keys: unknown): boolean =>
  isObject(item) &&
  isObject(keys) &&
  Object.entries(keys).every(([key, value]) => !Object.hasOwn(item, key) || item[key] === value);

function ownsItem(fields: FieldSet, item: unknown): boolean {
  return Object.entries(fields).some(([key, inner]) => {
    if (key.startsWith('v:')) return isDeepStrictEqual(parsed(key), item);
    return key.startsWith('k:') && hasKeys(item, parsed(key)) && covers(inner, item);
  });
}

function covers(fields: unknown, value: unknown): boolean {
  if (!isObject(fields)) return false;
  if (isWhole(fields)) return true;
  if (isList(value)) return value.every((item) => ownsItem(fields, item));
  if (!isObject(value)) return true;
  return Object.entries(value).every(([key, inner]) => covers(fields[`f:${key}`], inner));
}

/** Whether all fields of the object, which is as JSON has it, are among these. Pure. */
export const owns = (fields: FieldSet, object: JsonObject): boolean =>
  !isWhole(fields) && covers(fields, object);

const tokensOf = (pointer: string): readonly string[] =>
  pointer
    .slice(1)
    .split('/')
    .map((token) => `f:${token.replaceAll('~1', '/').replaceAll('~0', '~')}`);

function without(fields: FieldSet, [token = '', ...rest]: readonly string[]): FieldSet | undefined {
  const { [token]: inner, ...others } = fields;
  if (!isObject(inner)) return fields;
  const left = rest.length === 0 ? undefined : without(inner, rest);
  const after = left === undefined ? others : { ...others, [token]: left };
  return isWhole(after) ? undefined : after;
}

/**
 * The set without these fields and what is in them; a field of which nothing would be left goes too, for an empty one is had
 * as a whole. Pointers go through objects, not lists. Pure.
 */
export const withoutFields = (fields: FieldSet, pointers: readonly string[]): FieldSet =>
  pointers.reduce((left, pointer) => without(left, tokensOf(pointer)) ?? {}, fields);

/** Whether the field, or something in it, is among these. Pure. */
export const hasField = (fields: FieldSet, pointer: string): boolean =>
  tokensOf(pointer).reduce<unknown>(
    (inner, token) => (isObject(inner) ? inner[token] : undefined),
    fields,
  ) !== undefined;

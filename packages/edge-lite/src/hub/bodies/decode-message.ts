import { type Field, fieldsOf } from '@selvedge/kube';
import { invalid } from './invalid.ts';
import { isWellKnown, wellKnown } from './well-known.ts';
import { textOf, valueOf, varintOf, wireFields, wireTypes } from './wire.ts';

/** API types nest less than half as deep. */
const maxDepth = 50;

type Entry = readonly [name: string, value: unknown];

const isVarint = (type: string): boolean => type === 'int' || type === 'bool';

function scalar(type: string, bytes: Uint8Array): unknown {
  if (type === 'string') return textOf(bytes);
  if (type === 'bytes') return Buffer.from(bytes).toString('base64');
  return type === 'bool' ? varintOf(bytes) !== 0 : varintOf(bytes);
}

/** One value; undefined where JSON has none. */
function decodeValue(type: string, bytes: Uint8Array, depth: number): unknown {
  if (isWellKnown(type)) return wellKnown[type](bytes);
  const fields = fieldsOf(type);
  return fields === undefined ? scalar(type, bytes) : Object.fromEntries(entries(fields, bytes, depth));
}

/** Key and value of a map's entry, which is a message of two fields; either may be left out if it is zero. */
function mapEntry(type: string, bytes: Uint8Array, depth: number): Entry {
  let [key, value] = ['', new Uint8Array()];
  for (const field of wireFields(bytes)) {
    if (field.number === 1) key = textOf(valueOf(bytes, field));
    if (field.number === 2) value = new Uint8Array(valueOf(bytes, field));
  }
  return [key, decodeValue(type, value, depth)];
}

/** Numbers may stand one by one or, packed, in one value. */
function* unpacked(bytes: Uint8Array): Generator<Uint8Array> {
  let from = 0;
  for (let next = 0; next < bytes.length; next += 1) {
    if ((bytes[next] ?? 0) >= 0x80) continue;
    yield bytes.subarray(from, next + 1);
    from = next + 1;
  }
}

interface Occurrence {
  readonly wire: number;
  readonly bytes: Uint8Array;
}

/** All that the message holds of one field. */
function decodeField(field: Field, occurrences: readonly Occurrence[], depth: number): readonly Entry[] {
  const values = occurrences.flatMap(({ wire, bytes }) => {
    if (wire === (isVarint(field.type) ? wireTypes.varint : wireTypes.bytes)) return [bytes];
    if (field.shape === 'list' && wire === wireTypes.bytes) return Array.from(unpacked(bytes));
    throw invalid(`field ${field.name} of it is of wire type ${wire}`);
  });
  if (field.shape === 'map') {
    const pairs = values.map((bytes) => mapEntry(field.type, bytes, depth));
    return [[field.name, Object.fromEntries(pairs)]];
  }
  if (field.shape === 'list')
    return [[field.name, values.map((bytes) => decodeValue(field.type, bytes, depth))]];
  const last = values.at(-1) ?? new Uint8Array();
  if (field.name === '') return entries(fieldsOf(field.type) ?? [], last, depth);
  const value = decodeValue(field.type, last, depth);
  return value === undefined || (field.omitsZero && !value) ? [] : [[field.name, value]];
}

/** Unknown fields are left out, as the API server does it. */
function entries(fields: readonly Field[], bytes: Uint8Array, depth: number): readonly Entry[] {
  if (depth > maxDepth) throw invalid(`nested more than ${maxDepth} levels deep`);
  const present = new Map<number, Occurrence[]>();
  for (const field of wireFields(bytes)) {
    const all = present.get(field.number) ?? [];
    all.push({ wire: field.wire, bytes: valueOf(bytes, field) });
    present.set(field.number, all);
  }
  return fields.flatMap((field) => {
    const occurrences = present.get(field.number);
    return occurrences === undefined ? [] : decodeField(field, occurrences, depth + 1);
  });
}

/** A message of a type in `schemas` as JSON has it. Throws `Invalid`. */
export function decodeMessage(type: string, bytes: Uint8Array): Readonly<Record<string, unknown>> {
  return Object.fromEntries(entries(fieldsOf(type) ?? [], bytes, 0));
}

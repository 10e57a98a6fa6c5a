import { roots, types } from './gen/types.ts';

/** A field of an API type. */
export interface Field {
  /** In JSON. Empty: the fields of `type` are the object's own there. */
  readonly name: string;
  /** In protobuf. */
  readonly number: number;
  readonly shape: 'one' | 'list' | 'map';
  /**
   * Of one value: a type with fields, or `string`, `int`, `bool`, `bytes`, `Strings` (a list within a list or map), `Time`,
   * `MicroTime`, `Quantity`, `IntOrString`, `Raw` (JSON in bytes).
   */
  readonly type: string;
  /** JSON leaves out zero, false and the empty text. */
  readonly omitsZero: boolean;
  /** A strategic merge merges the list; others it replaces. */
  readonly merges: boolean;
  /** Identifies an item of a merged list. Empty: its value does. */
  readonly mergeKey: string;
}

const shapes: Readonly<Record<string, Field['shape']>> = { '[': 'list', '{': 'map' };

/** `name=number:type?|strategy|key`. */
function parseField(text: string): Field {
  const [declaration = '', strategies = '', mergeKey = ''] = text.split('|');
  const [, name = '', number = '', shaped = '', zero = ''] =
    /^(.*)=(\d+):([^?]*)(\??)$/.exec(declaration) ?? [];
  return {
    name,
    number: Number(number),
    shape: shapes[shaped.charAt(0)] ?? 'one',
    type: shaped.replaceAll(/[[\]{}]/g, ''),
    omitsZero: zero !== '',
    merges: strategies.split(',').includes('merge'),
    mergeKey,
  };
}

/** The fields of a type, undefined for a scalar or an unknown one. */
export function fieldsOf(type: string): readonly Field[] | undefined {
  const line = Object.hasOwn(types, type) ? types[type] : undefined;
  return line?.split(' ').map(parseField);
}

/** The type of an object, if it is among those that the node agents write. */
export function typeOf(apiVersion: unknown, kind: unknown): string | undefined {
  const root = `${String(apiVersion)} ${String(kind)}`;
  return Object.hasOwn(roots, root) ? roots[root] : undefined;
}

/** A field by its name in JSON, those of inlined types included. */
export function fieldNamed(type: string, name: string): Field | undefined {
  for (const field of fieldsOf(type) ?? []) {
    if (field.name === name) return field;
    const inner = field.name === '' ? fieldNamed(field.type, name) : undefined;
    if (inner !== undefined) return inner;
  }
  return undefined;
}

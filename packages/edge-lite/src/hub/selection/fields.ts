import type { KubeObject } from '@selvedge/kube';

/** The value of a field, as selectors compare it. */
export type FieldReader = (object: KubeObject) => string;

export function valueAt(object: unknown, path: readonly string[]): unknown {
  let value = object;
  for (const step of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = Object.hasOwn(value, step) ? (value as Readonly<Record<string, unknown>>)[step] : undefined;
  }
  return value;
}

/** The scalar at `path` as text, or `absent`. */
export function textAt(path: string, absent = ''): FieldReader {
  const steps = path.split('.');
  return (object) => {
    const value = valueAt(object, steps);
    const scalar = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
    return scalar ? String(value) : absent;
  };
}

/** The first of `readers` that has something to say. */
export function firstText(...readers: readonly FieldReader[]): FieldReader {
  return (object) => {
    for (const read of readers) {
      const text = read(object);
      if (text !== '') return text;
    }
    return '';
  };
}

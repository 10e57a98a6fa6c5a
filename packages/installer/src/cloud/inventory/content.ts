import { hash } from 'node:crypto';
import { type JsonObject, type KubeObject, isList, isObject } from '@selvedge/kube';

/** An object as people and programs mean it: without what the API server writes, and its status. */
export function contentOf(object: KubeObject): JsonObject {
  const { managedFields: _1, resourceVersion: _2, generation: _3, uid: _4, ...metadata } = object.metadata;
  const { creationTimestamp: _5, ...kept } = metadata;
  const { status: _6, ...rest }: JsonObject = { ...object };
  return { ...rest, metadata: kept };
}

function sorted(value: unknown): unknown {
  if (isList(value)) return value.map(sorted);
  if (!isObject(value)) return value;
  const entries = Object.entries(value).filter(([, one]) => one !== undefined);
  return Object.fromEntries(
    entries.toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([key, one]) => [key, sorted(one)]),
  );
}

/** Of the content. Two objects with the same hash are the same to whoever reads them. */
export const hashOfContent = (content: JsonObject): string => hash('sha256', JSON.stringify(sorted(content)));

/** Paths at which two values differ, for people: `spec.replicas`. Pure. */
export function differences(a: unknown, b: unknown, path = ''): readonly string[] {
  if (isObject(a) && isObject(b)) {
    const keys = [...new Set([...Object.keys(a), ...Object.keys(b)])];
    return keys.flatMap((key) => differences(a[key], b[key], path === '' ? key : `${path}.${key}`));
  }
  return JSON.stringify(sorted(a)) === JSON.stringify(sorted(b)) ? [] : [path];
}

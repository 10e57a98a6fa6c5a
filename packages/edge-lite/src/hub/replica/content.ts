import { isDeepStrictEqual } from 'node:util';
import type { KubeObject } from '@selvedge/kube';
import type { HeldResource, ObjectName } from './types.ts';

type Fields = Readonly<Record<string, unknown>>;

const metadataSuffix = ';metadata';

/** Where the objects of `resource` are held with their metadata only; undefined if that is `resource` itself. */
export const metadataOf = (resource: HeldResource): HeldResource | undefined =>
  resource.endsWith(metadataSuffix) ? undefined : resource + metadataSuffix;

/** Where the same objects are held in the other form: with their metadata only, or whole. */
export const twinOf = (resource: HeldResource): HeldResource =>
  metadataOf(resource) ?? resource.slice(0, -metadataSuffix.length);

/** Source: kubernetes.io "API concepts", PartialObjectMetadata. */
export const reduced = ({ metadata }: KubeObject): KubeObject => ({
  kind: 'PartialObjectMetadata',
  apiVersion: 'meta.k8s.io/v1',
  metadata,
});

/** Lists, watches and answers order the head of an object differently; one order makes equal objects equal text. */
export function normalized(object: KubeObject): KubeObject {
  const { kind, apiVersion, metadata, ...rest } = object;
  return { kind, apiVersion, metadata, ...rest };
}

export const nameOf = ({ metadata }: KubeObject): ObjectName => ({
  namespace: metadata.namespace ?? '',
  name: metadata.name ?? '',
});

/** `/` is in no name and no namespace. */
export const keyOf = ({ namespace, name }: ObjectName): string => `${namespace}/${name}`;

export const parsed = (json: string): KubeObject => JSON.parse(json) as KubeObject;

export const withVersion = (object: KubeObject, resourceVersion: string): KubeObject => ({
  ...object,
  metadata: { ...object.metadata, resourceVersion },
});

export const jsonAt = (object: KubeObject, version: bigint): string =>
  JSON.stringify(withVersion(object, version.toString()));

/** Whether two documents say the same but for their resourceVersion. `next` is text under the version of `last`. */
export function sameContent(last: string, next: string): boolean {
  return last === next || isDeepStrictEqual(JSON.parse(last), JSON.parse(next));
}

const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null;

const without = (list: unknown, field: string): unknown =>
  Array.isArray(list)
    ? list.map((item: unknown) => (isFields(item) ? { ...item, [field]: undefined } : item))
    : list;

/** What stays of a Node when its heartbeat is taken away, and of any object when nobody asks when it was last applied. */
function stillness(object: KubeObject): unknown {
  const { status, metadata, ...rest } = object as KubeObject & { readonly status?: Fields };
  const managedFields = without(metadata.managedFields, 'time');
  return {
    ...rest,
    metadata: { ...metadata, managedFields, resourceVersion: undefined },
    status: isFields(status)
      ? { ...status, conditions: without(status['conditions'], 'lastHeartbeatTime') }
      : status,
  };
}

/** Leases and what hangs on them are in memory only. */
export const isVolatile = (resource: HeldResource): boolean =>
  /^coordination\.k8s\.io\/v\w+\/leases(;metadata)?$/.test(resource);

const beats = (resource: HeldResource): boolean =>
  resource === 'v1/nodes' || resource.endsWith(metadataSuffix);

/** Whether the step from `last` to `next` is a heartbeat, which is not worth a write to flash. */
export function isHeartbeat(resource: HeldResource, last: string, next: string): boolean {
  if (!beats(resource)) return false;
  return last === next || isDeepStrictEqual(stillness(parsed(last)), stillness(parsed(next)));
}

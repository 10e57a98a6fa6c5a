import type { fc } from '@fast-check/vitest';
import type { KubeObject } from '@selvedge/kube';
import { type Thing } from './testing.ts';
import type { ObjectName } from './types.ts';

/** Nodes, so that heartbeats take part; two namespaces, so that the order of keys does. */
export const resource = 'v1/nodes';
export const places: readonly ObjectName[] = ['a/a', 'a/b', 'a/c', 'b/a', 'b/b'].map((key) => ({
  namespace: key.slice(0, 1),
  name: key.slice(2),
}));

/** The spec tells the revision at which an object was last put. */
export const revisionOf = (json: string | undefined): number => parse(json)?.spec ?? 0;

export const tinted =
  (tint: number) =>
  (_resource: string, object: KubeObject): KubeObject =>
    tint === 0 || object.metadata.name !== 'a'
      ? object
      : { ...object, metadata: { ...object.metadata, annotations: { tint: String(tint) } } };

export const parse = (json: string | undefined): Thing | undefined =>
  json === undefined ? undefined : (JSON.parse(json) as Thing);

export const contentOf = (object: KubeObject): object => ({
  ...object,
  metadata: { ...object.metadata, resourceVersion: undefined },
});

export const often = <A>(
  weight: number,
  arbitrary: fc.Arbitrary<A>,
): { weight: number; arbitrary: fc.Arbitrary<A> } => ({
  weight,
  arbitrary,
});

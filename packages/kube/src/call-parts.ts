import type { DeleteOptions, Projection, Selection, WriteOptions } from './client.ts';
import type { KubeObject, ObjectRef } from './object.ts';
import type { Patch } from './patch.ts';
import type { Query } from './requester.ts';
import type { Resource } from './resource.ts';

/** What a call sends: JSON to be, or text and bytes as they are. */
export type Body = object | string | Uint8Array;

export const selectionQuery = ({ labelSelector, fieldSelector }: Selection): Query => ({
  labelSelector,
  fieldSelector,
});

export const writeQuery = ({ fieldManager, dryRun }: WriteOptions): Query => ({
  fieldManager,
  dryRun: dryRun === true ? 'All' : undefined,
});

export function deleteBody(options: DeleteOptions): Body {
  const { gracePeriodSeconds, preconditions, propagationPolicy, dryRun } = options;
  return {
    apiVersion: 'v1',
    kind: 'DeleteOptions',
    gracePeriodSeconds,
    preconditions,
    propagationPolicy,
    dryRun: dryRun === true ? ['All'] : undefined,
  };
}

/** `PartialObjectMetadata` or its list. Source: kubernetes.io "Kubernetes API Concepts", resource representations. */
export const acceptOf = (
  { metadataOnly }: Projection,
  as: 'PartialObjectMetadata' | 'PartialObjectMetadataList',
): string | undefined => (metadataOnly === true ? `application/json;as=${as};g=meta.k8s.io;v=v1` : undefined);

/** What the items of a list are: as the resource says, and where it does not, as the list does. */
export function itemTypeOf(
  { apiVersion, kind }: Pick<Resource<KubeObject>, 'apiVersion' | 'kind'>,
  list: { readonly kind?: string | undefined },
): Pick<Resource<KubeObject>, 'apiVersion' | 'kind'> {
  return { apiVersion, kind: kind === '' ? (list.kind ?? '').replace(/List$/, '') : kind };
}

/** `apiVersion` and `kind`, which the server leaves out inside lists, in front. */
export const typed = <T extends KubeObject>(
  { apiVersion, kind }: Pick<Resource<KubeObject>, 'apiVersion' | 'kind'>,
  object: T,
): T => ({
  apiVersion,
  kind,
  ...object,
});

/** What is applied names itself in full. */
export function bodyOfPatch({ type, body }: Patch, resource: Resource<KubeObject>, at: ObjectRef): Body {
  if (!type.includes('apply-patch')) return body as Body;
  const { apiVersion, kind } = resource;
  const object = body as Partial<KubeObject>;
  return { apiVersion, kind, ...object, metadata: { ...at, ...object.metadata } };
}

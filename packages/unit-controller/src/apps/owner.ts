import type { Indexer, KubeObject } from '@selvedge/kube';
import type { OwnerReference } from '@selvedge/kube/types';
import { unitAppResource } from '../objects.ts';

/** The UnitApp that an object says it belongs to. */
export const unitAppOf = ({ metadata }: KubeObject): OwnerReference | undefined =>
  metadata.ownerReferences?.find(
    ({ controller, kind }) => controller === true && kind === unitAppResource.kind,
  );

/** The key of that UnitApp. */
export function appKeyOf(object: KubeObject): string | undefined {
  const owner = unitAppOf(object);
  return owner === undefined ? undefined : `${object.metadata.namespace ?? ''}/${owner.name}`;
}

/** By the key of the UnitApp. */
export const appIndex = 'unit app';

export const appIndexers: Readonly<Record<string, Indexer<KubeObject>>> = {
  [appIndex]: (object) => {
    const key = appKeyOf(object);
    return key === undefined ? [] : [key];
  },
};

import type { KubeObject, Resource } from '@selvedge/kube';
import type { EdgeUnitObject, UnitAppObject } from '../../objects.ts';
import { nameOf } from '../../objects.ts';
import { type UnitValues, cloneName, isSelected, valuesOf, workloads } from '../../rendering/index.ts';
import type { AppView } from '../view/index.ts';
import { type SeenChild, revisionOf } from '../children/index.ts';

/** A unit that a UnitApp selects, and what it has of it. */
export interface SelectedUnit extends UnitValues {
  readonly edgeUnit: EdgeUnitObject;
  readonly clone: SeenChild | undefined;
  /** Of the clone; undefined: there is none, or it is on its way out. */
  readonly revision: number | undefined;
}

/** In any order. Throws `Invalid` if the selector is none. */
export function selectedBy(app: UnitAppObject, view: AppView): readonly SelectedUnit[] {
  const { metadata, spec } = app;
  const resource: Resource<KubeObject> = workloads[spec.template.kind];
  return Array.from(view.readers.units.values()).flatMap((edgeUnit) => {
    const values = valuesOf(edgeUnit);
    if (!isSelected(spec.unitSelector, values)) return [];
    const key = `${metadata.namespace ?? ''}/${cloneName(nameOf(app), values.name)}`;
    const seen = view.child(resource, key);
    const isThere = seen !== undefined && seen.metadata.deletionTimestamp === undefined;
    const clone = isThere && seen.metadata.ownerReferences?.[0]?.uid === metadata.uid ? seen : undefined;
    return [{ ...values, edgeUnit, clone, revision: clone && revisionOf(clone) }];
  });
}

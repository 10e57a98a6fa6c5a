import { type EdgeNode, type EdgeUnit, type UnitApp, edgeNodes, edgeUnits, unitApps } from '@selvedge/api';
import { type Indexer, type KubeObject, type Resource, defineResource } from '@selvedge/kube';

export type EdgeUnitObject = KubeObject & EdgeUnit;
export type EdgeNodeObject = KubeObject & EdgeNode;
export type UnitAppObject = KubeObject & UnitApp;

export const edgeUnitResource: Resource<EdgeUnitObject> = defineResource<EdgeUnitObject>(edgeUnits);
export const edgeNodeResource: Resource<EdgeNodeObject> = defineResource<EdgeNodeObject>(edgeNodes);
export const unitAppResource: Resource<UnitAppObject> = defineResource<UnitAppObject>(unitApps);

/** The field manager of all that this package writes. */
export const fieldManager = 'selvedge-unit-controller';

/** Of an EdgeNode: the unit that has pushed something to its Node. */
export const pushedUnitIndex = 'pushed unit';

/** What the store of EdgeNodes must be indexed by. */
export const unitIndexers: Readonly<Record<string, Indexer<EdgeNodeObject>>> = {
  [pushedUnitIndex]: ({ status }) => (status?.unit === undefined ? [] : [status.unit.name]),
};

export const nameOf = (object: KubeObject): string => object.metadata.name ?? '';

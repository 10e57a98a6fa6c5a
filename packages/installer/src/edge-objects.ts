import { type EdgeNode, type EdgeUnit, type UnitApp, edgeNodes, edgeUnits, unitApps } from '@selvedge/api';
import { type KubeObject, defineResource } from '@selvedge/kube';

export type EdgeNodeObject = EdgeNode & KubeObject;
export type EdgeUnitObject = EdgeUnit & KubeObject;
export type UnitAppObject = UnitApp & KubeObject;

export const edgeNodeResource = defineResource<EdgeNodeObject>(edgeNodes);
export const edgeUnitResource = defineResource<EdgeUnitObject>(edgeUnits);
export const unitAppResource = defineResource<UnitAppObject>(unitApps);

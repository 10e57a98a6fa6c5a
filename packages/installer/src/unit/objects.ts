import { type EdgeUnit, edgeUnits } from '@selvedge/api';
import { type KubeObject, defineResource } from '@selvedge/kube';

export type EdgeUnitObject = KubeObject & EdgeUnit;

export const edgeUnitResource = defineResource<EdgeUnitObject>(edgeUnits);

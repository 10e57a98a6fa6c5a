export type { ClusterReaders } from './cluster-view.ts';
export {
  createUnitController,
  type UnitControllerDeps,
  type UnitControllerOptions,
} from './unit-controller.ts';

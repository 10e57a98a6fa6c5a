export {
  createUnitController,
  type ClusterReaders,
  type UnitControllerDeps,
  type UnitControllerOptions,
} from './controller/index.ts';
export { createUnitMetrics, type UnitMetrics } from './metrics.ts';
export {
  edgeNodeResource,
  edgeUnitResource,
  unitAppResource,
  unitIndexers,
  type EdgeNodeObject,
  type EdgeUnitObject,
  type UnitAppObject,
} from './objects.ts';

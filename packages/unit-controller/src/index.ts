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
export {
  cloneName,
  horizontalPodAutoscalers,
  isSelected,
  renderShared,
  renderUnit,
  substituted,
  unitAppManager,
  valuesOf,
  withoutUnmanaged,
  type Child,
  type RenderInput,
  type UnitValues,
} from './rendering/index.ts';
export {
  contentOf,
  hashOfContent,
  planHistory,
  type HistoryFacts,
  type HistoryPlan,
  type Revision,
  type RevisionContent,
} from './rollout/index.ts';
export { lastWave, wavesOf, type Waves, type WavesOptions } from './rollout/index.ts';
export { isOpen, nextOpening, parseWindows, type Windows } from './rollout/index.ts';

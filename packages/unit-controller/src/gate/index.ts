export {
  compareDecimals,
  createMetricGate,
  createMetricGateMetrics,
  parseDecimal,
  type MetricGate,
  type MetricGateDeps,
  type MetricGateMetrics,
  type MetricGateOptions,
  type MetricReading,
  type MetricServer,
  type MetricWish,
} from './metric/index.ts';
export {
  clonePodIndexers,
  clonePodResource,
  keptClonePod,
  restartsOf,
  type ClonePod,
  type ClonePods,
} from './restarts/index.ts';

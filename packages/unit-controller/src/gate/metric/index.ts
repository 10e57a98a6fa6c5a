export { compareDecimals, parseDecimal, type Decimal } from './decimal.ts';
export {
  createMetricGate,
  createMetricGateMetrics,
  type MetricGate,
  type MetricGateDeps,
  type MetricGateMetrics,
  type MetricGateOptions,
  type MetricServer,
} from './metric-gate.ts';
export type { MetricWish } from './question.ts';
export type { MetricReading } from './reading.ts';

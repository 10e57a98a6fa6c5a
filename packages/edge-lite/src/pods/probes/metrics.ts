import type { Counter, MetricsRegistry } from '@selvedge/kit';

export interface ProbeMetrics {
  readonly results: Counter;
}

export function createProbeMetrics(registry: MetricsRegistry): ProbeMetrics {
  const name = 'selvedge_pods_probe_results_total';
  return { results: registry.counter({ name, help: 'Probes of containers by kind and result.' }) };
}

import type { Counter, MetricsRegistry } from '@selvedge/kit';

export interface VolumeMetrics {
  /** By `outcome`: done, failed. */
  readonly setUps: Counter;
  readonly tokens: Counter;
}

export function createVolumeMetrics(registry: MetricsRegistry): VolumeMetrics {
  const counter = (name: string, help: string): Counter => registry.counter({ name, help });
  return {
    setUps: counter('selvedge_pods_volume_setups_total', 'Volumes made or brought up to date.'),
    tokens: counter('selvedge_pods_token_requests_total', 'Service-account tokens asked for.'),
  };
}

import type { Counter, Gauge, Histogram, MetricsRegistry } from '@selvedge/kit';

export interface PodMetrics {
  /** `step`, `outcome` (`done`, `waiting`, `failed`). */
  readonly steps: Counter;
  /** `step`. */
  readonly stepSeconds: Histogram;
  /** From the first sight of a pod until all its containers run. */
  readonly startSeconds: Histogram;
  /** `phase`. */
  readonly pods: Gauge;
}

/** Registers the metrics; once per registry. */
export function createPodMetrics(registry: MetricsRegistry): PodMetrics {
  return {
    steps: registry.counter({ name: 'selvedge_pods_steps_total', help: 'Steps done for pods, by outcome.' }),
    stepSeconds: registry.histogram({
      name: 'selvedge_pods_step_seconds',
      help: 'Time that one step took.',
      buckets: [0.01, 0.05, 0.1, 0.25, 1, 5, 30],
    }),
    startSeconds: registry.histogram({
      name: 'selvedge_pods_start_seconds',
      help: 'From the first sight of a pod until its containers run.',
      buckets: [0.1, 0.25, 0.5, 1, 5, 30, 300],
    }),
    pods: registry.gauge({ name: 'selvedge_pods_pods', help: 'Pods of this node, by phase.' }),
  };
}

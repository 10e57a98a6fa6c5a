import type { Counter, Gauge, MetricsRegistry } from '@selvedge/kit';

export interface UpstreamMetrics {
  /** 1 for the `state` that holds, 0 for the others. */
  readonly connectivity: Gauge;
  /** `to`: what it changed to. */
  readonly changes: Counter;
  /** `caller`, `code`: the HTTP status, or the error's code if there was no answer. */
  readonly requests: Counter;
  /** `outcome`: `ready`, `failed`. */
  readonly probes: Counter;
}

const name = (rest: string): string => `selvedge_upstream_${rest}`;

/** Registers the metrics; once per registry. */
export function createUpstreamMetrics(registry: MetricsRegistry): UpstreamMetrics {
  return {
    connectivity: registry.gauge({
      name: name('connectivity'),
      help: 'Whether the API servers can be reached: 1 for the state that holds.',
    }),
    changes: registry.counter({ name: name('changes_total'), help: 'Changes of the connectivity.' }),
    requests: registry.counter({ name: name('requests_total'), help: 'Requests passed to API servers.' }),
    probes: registry.counter({ name: name('probes_total'), help: 'Looks for a ready API server.' }),
  };
}

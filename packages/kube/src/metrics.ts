import type { Counter, Gauge, Histogram, MetricsRegistry } from '@selvedge/kit';

/** The metrics of everything in this package; one per program, shared by its clients, reflectors and queues. */
export interface KubeMetrics {
  /** `method`, `code` (the HTTP status, or the error's code if there was no answer). */
  readonly requests: Counter;
  /** `method`; up to the end of the answer's head. */
  readonly requestSeconds: Histogram;
  readonly dials: Counter;
  /** `resource`, `type`. */
  readonly watchEvents: Counter;
  /** `resource`, `kind` (`stream`, `paged`). */
  readonly lists: Counter;
  /** `queue`. */
  readonly queueDepth: Gauge;
  /** `queue`, `outcome` (`done`, `retried`, `dropped`). */
  readonly queueKeys: Counter;
  /** `outcome` (`sent`, `dropped`, `failed`). */
  readonly events: Counter;
}

const name = (rest: string): string => `selvedge_kube_${rest}`;

/** Registers the metrics; once per registry. */
export function createKubeMetrics(registry: MetricsRegistry): KubeMetrics {
  return {
    requests: registry.counter({ name: name('requests_total'), help: 'Requests to API servers.' }),
    requestSeconds: registry.histogram({
      name: name('request_seconds'),
      help: 'Time until the head of the answer.',
      buckets: [0.005, 0.025, 0.1, 0.5, 2, 10, 30],
    }),
    dials: registry.counter({ name: name('dials_total'), help: 'Connections opened or tried.' }),
    watchEvents: registry.counter({ name: name('watch_events_total'), help: 'Watch events received.' }),
    lists: registry.counter({ name: name('lists_total'), help: 'Full lists that a reflector took.' }),
    queueDepth: registry.gauge({ name: name('queue_depth'), help: 'Keys that wait for a worker.' }),
    queueKeys: registry.counter({ name: name('queue_keys_total'), help: 'Keys handled, by outcome.' }),
    events: registry.counter({ name: name('events_total'), help: 'Events recorded, by outcome.' }),
  };
}

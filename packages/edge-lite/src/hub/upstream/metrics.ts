import type { Counter, Gauge, MetricsRegistry } from '@selvedge/kit';
import type { Traffic } from '@selvedge/kube';

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

/** Shows what the links carry: the uplink may cost money. */
export function meterTraffic(registry: MetricsRegistry, traffic: Traffic): void {
  const type = 'counter';
  const received = {
    type,
    name: name('received_bytes_total'),
    help: 'Bytes from API servers, on the wire.',
  } as const;
  const sent = { type, name: name('sent_bytes_total'), help: 'Bytes to API servers, on the wire.' } as const;
  registry.sampled(received, () => traffic.receivedBytes);
  registry.sampled(sent, () => traffic.sentBytes);
}

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

import type { Counter, Histogram, MetricsRegistry } from '@selvedge/kit';
import type { Rule } from './destination.ts';

/** How a stream went out. `none`: it did not. */
export type Way = 'tunnel' | 'relay' | 'direct' | 'none';

export interface EgressMetrics {
  /** By `rule`, `way` and `outcome`. */
  readonly streams: Counter;
  /** By `rule` and `direction`. */
  readonly bytes: Counter;
  readonly openSeconds: Histogram;
}

export interface StreamOutcome {
  readonly rule: Rule | 'relayed' | 'none';
  readonly way: Way;
  /** `refused`: nobody was asked. */
  readonly outcome: 'opened' | 'refused' | 'failed' | 'limited';
}

export function createEgressMetrics(metrics: MetricsRegistry): EgressMetrics {
  return {
    streams: metrics.counter({
      name: 'selvedge_egress_streams_total',
      help: 'Streams asked for, by what the destination was found by, how it was reached and outcome.',
    }),
    bytes: metrics.counter({
      name: 'selvedge_egress_bytes_total',
      help: 'Bytes of streams that have ended, by what the destination was found by and direction.',
    }),
    openSeconds: metrics.histogram({
      name: 'selvedge_egress_open_seconds',
      help: 'From the request for a stream to its opening.',
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    }),
  };
}

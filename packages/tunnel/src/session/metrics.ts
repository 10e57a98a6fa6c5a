import type { Counter, Histogram, MetricsRegistry } from '@selvedge/kit';

/** The metrics that both ends have; one per program. */
export interface TunnelMetrics {
  /** `direction`, `outcome` (`opened`, or the code of the error). */
  readonly streams: Counter;
  /** Up to the answer, for the end that asks. */
  readonly openSeconds: Histogram;
  /** Streams that were cut because they held too much. */
  readonly cuts: Counter;
  /** `direction`, `carrier`, `outcome` (`opened`, or why not). */
  readonly sessions: Counter;
}

const name = (rest: string): string => `selvedge_tunnel_${rest}`;

/** Registers the metrics; once per registry. */
export function createTunnelMetrics(registry: MetricsRegistry): TunnelMetrics {
  return {
    streams: registry.counter({ name: name('streams_total'), help: 'Streams asked for, by outcome.' }),
    openSeconds: registry.histogram({
      name: name('open_seconds'),
      help: 'Time until the answer for a stream.',
      buckets: [0.005, 0.025, 0.1, 0.25, 0.5, 1, 5, 15],
    }),
    cuts: registry.counter({
      name: name('cut_streams_total'),
      help: 'Streams that were cut: unread for too long.',
    }),
    sessions: registry.counter({
      name: name('sessions_total'),
      help: 'Sessions begun or tried, by outcome.',
    }),
  };
}

import { expect, it } from 'vitest';
import { createMetricsRegistry } from './metrics.ts';

it('renders counters, gauges and histograms as Prometheus text', () => {
  const metrics = createMetricsRegistry();
  const requests = metrics.counter({ name: 'selvedge_hub_requests_total', help: 'Requests.' });
  requests.add({ verb: 'get' });
  requests.add({ verb: 'get' }, 2);
  metrics.gauge({ name: 'selvedge_hub_watches', help: 'Open\nwatches.' }).set(3, { path: 'a"\\\n' });
  metrics.sampled({ name: 'selvedge_process_seconds', help: 'Age.' }, () => 1.5);
  metrics.sampled({ name: 'selvedge_process_bytes_total', help: 'Bytes.', type: 'counter' }, () => 7);
  const took = metrics.histogram({ name: 'selvedge_hub_seconds', help: 'Time.', buckets: [0.1, 1] });
  for (const value of [0.05, 0.1, 0.5, 7]) took.observe(value);
  expect(metrics.render()).toMatchInlineSnapshot(`
    "# HELP selvedge_metrics_lost_series_total Label sets that were not stored because their metric was full.
    # TYPE selvedge_metrics_lost_series_total counter
    selvedge_metrics_lost_series_total 0
    # HELP selvedge_hub_requests_total Requests.
    # TYPE selvedge_hub_requests_total counter
    selvedge_hub_requests_total{verb="get"} 3
    # HELP selvedge_hub_watches Open\\nwatches.
    # TYPE selvedge_hub_watches gauge
    selvedge_hub_watches{path="a\\"\\\\\\n"} 3
    # HELP selvedge_process_seconds Age.
    # TYPE selvedge_process_seconds gauge
    selvedge_process_seconds 1.5
    # HELP selvedge_process_bytes_total Bytes.
    # TYPE selvedge_process_bytes_total counter
    selvedge_process_bytes_total 7
    # HELP selvedge_hub_seconds Time.
    # TYPE selvedge_hub_seconds histogram
    selvedge_hub_seconds_bucket{le="0.1"} 2
    selvedge_hub_seconds_bucket{le="1"} 3
    selvedge_hub_seconds_bucket{le="+Inf"} 4
    selvedge_hub_seconds_sum 7.65
    selvedge_hub_seconds_count 4
    "
  `);
});

it('reads sampled series as it renders', () => {
  const metrics = createMetricsRegistry();
  let value = 1;
  metrics.sampledSeries({ name: 'x_total', help: 'x', type: 'counter' }, () => [
    { labels: { kind: 'a' }, value },
    { labels: { kind: 'b' }, value: 0 },
  ]);
  value = 5;
  expect(metrics.render()).toContain('# TYPE x_total counter\nx_total{kind="a"} 5\nx_total{kind="b"} 0\n');
});

it('treats label sets in any order as one series', () => {
  const metrics = createMetricsRegistry();
  const counter = metrics.counter({ name: 'x_total', help: 'x' });
  counter.add({ a: '1', b: '2' });
  counter.add({ b: '2', a: '1' });
  expect(metrics.render()).toContain('x_total{a="1",b="2"} 2\n');
});

it('caps label sets and counts what it lost', () => {
  const metrics = createMetricsRegistry({ maxSeries: 2 });
  const gauge = metrics.gauge({ name: 'g', help: 'g' });
  for (const pod of ['a', 'b', 'c', 'a']) gauge.set(1, { pod });
  expect(metrics.render()).not.toContain('pod="c"');
  expect(metrics.render()).toContain('selvedge_metrics_lost_series_total 1\n');
});

it('refuses a name twice', () => {
  const metrics = createMetricsRegistry();
  metrics.gauge({ name: 'g', help: 'g' });
  expect(() => metrics.counter({ name: 'g', help: 'g' })).toThrow(/registered twice/);
});

import { renderFamilies, type Family, type Labels, type Sample } from './metrics-text.ts';

export interface MetricOptions {
  /** `selvedge_<subsystem>_<thing>_<unit>`; counters end in `_total`. */
  readonly name: string;
  readonly help: string;
}

export interface Counter {
  /** Adds `by` (default 1, never negative). */
  add(labels?: Labels, by?: number): void;
}

export interface Gauge {
  set(value: number, labels?: Labels): void;
}

export interface Histogram {
  observe(value: number, labels?: Labels): void;
}

export interface HistogramOptions extends MetricOptions {
  /** Upper bounds, ascending, without `+Inf`. */
  readonly buckets: readonly number[];
}

export interface SampledOptions extends MetricOptions {
  /** A counter's value never goes back. Default `gauge`. */
  readonly type?: 'gauge' | 'counter';
}

export interface SampledSeries {
  readonly labels: Labels;
  readonly value: number;
}

/** Owns the metrics of one program. A name is registered once. */
export interface MetricsRegistry {
  counter(options: MetricOptions): Counter;
  gauge(options: MetricOptions): Gauge;
  /** A metric without labels whose value is read when the metrics are rendered. */
  sampled(options: SampledOptions, read: () => number): void;
  /** The same with a series for each label set; whoever reads bounds them. */
  sampledSeries(options: SampledOptions, read: () => readonly SampledSeries[]): void;
  histogram(options: HistogramOptions): Histogram;
  /** Prometheus text format 0.0.4. */
  render(): string;
}

interface Series<V> {
  readonly labels: Labels;
  readonly value: V;
}

interface HistogramValue {
  readonly counts: number[];
  sum: number;
  count: number;
}

/** The same for the same labels in any order. Everything that is counted comes through here. */
function seriesKey(labels: Labels): string {
  const names = Object.keys(labels);
  if (names.length > 1) names.sort((a, b) => (a < b ? -1 : 1));
  let key = '';
  for (const name of names) key += `${name}=${JSON.stringify(labels[name])},`;
  return key;
}

/** The series of one metric; at the cap further label sets are counted as lost instead of stored. */
class SeriesMap<V> {
  readonly #series = new Map<string, Series<V>>();
  readonly #max: number;
  readonly #onLost: () => void;

  constructor(max: number, onLost: () => void) {
    this.#max = max;
    this.#onLost = onLost;
  }

  values(): Iterable<Series<V>> {
    return this.#series.values();
  }

  update(labels: Labels, change: (value: V | undefined) => V): void {
    const key = seriesKey(labels);
    const known = this.#series.get(key);
    if (known === undefined && this.#series.size >= this.#max) {
      this.#onLost();
      return;
    }
    this.#series.set(key, { labels: known?.labels ?? labels, value: change(known?.value) });
  }
}

function histogramSamples(buckets: readonly number[], { labels, value }: Series<HistogramValue>): Sample[] {
  const below = buckets.map((bound, i) => ({
    suffix: '_bucket',
    labels: { ...labels, le: String(bound) },
    value: value.counts.slice(0, i + 1).reduce((a, b) => a + b, 0),
  }));
  return [
    ...below,
    { suffix: '_bucket', labels: { ...labels, le: '+Inf' }, value: value.count },
    { suffix: '_sum', labels, value: value.sum },
    { suffix: '_count', labels, value: value.count },
  ];
}

const scalar = ({ labels, value }: Series<number>): Sample => ({ suffix: '', labels, value });

function createHistogram(buckets: readonly number[], series: SeriesMap<HistogramValue>): Histogram {
  return {
    observe(value, labels = {}) {
      series.update(labels, (known) => {
        const next = known ?? { counts: buckets.map(() => 0), sum: 0, count: 0 };
        const slot = buckets.findIndex((bound) => value <= bound);
        if (slot >= 0) next.counts[slot] = (next.counts[slot] ?? 0) + 1;
        next.sum += value;
        next.count += 1;
        return next;
      });
    },
  };
}

export interface MetricsOptions {
  /** Label sets per metric. Default 200; more are counted in `selvedge_metrics_lost_series_total`. */
  readonly maxSeries?: number;
}

/** A registry without dependencies: counters, gauges and histograms in Prometheus' text format. */
export function createMetricsRegistry(options: MetricsOptions = {}): MetricsRegistry {
  const families = new Map<string, { readonly family: Family; readonly samples: () => Sample[] }>();
  let lost = 0;
  const register = (family: Family, samples: () => Sample[]): void => {
    if (families.has(family.name)) throw new TypeError(`metric ${family.name} is registered twice`);
    families.set(family.name, { family, samples });
  };
  const newSeries = <V>(): SeriesMap<V> => new SeriesMap<V>(options.maxSeries ?? 200, () => (lost += 1));
  const scalars = (type: Family['type'], metric: MetricOptions): SeriesMap<number> => {
    const series = newSeries<number>();
    register({ ...metric, type }, () => Array.from(series.values(), scalar));
    return series;
  };
  const help = 'Label sets that were not stored because their metric was full.';
  register({ name: 'selvedge_metrics_lost_series_total', help, type: 'counter' }, () => [
    { suffix: '', labels: {}, value: lost },
  ]);
  return {
    counter(metric) {
      const series = scalars('counter', metric);
      return { add: (labels = {}, by = 1) => series.update(labels, (old = 0) => old + by) };
    },
    gauge(metric) {
      const series = scalars('gauge', metric);
      return { set: (value, labels = {}) => series.update(labels, () => value) };
    },
    sampled: ({ type = 'gauge', ...metric }, read) =>
      register({ ...metric, type }, () => [{ suffix: '', labels: {}, value: read() }]),
    sampledSeries: ({ type = 'gauge', ...metric }, read) =>
      register({ ...metric, type }, () => read().map(scalar)),
    histogram({ buckets, ...metric }) {
      const series = newSeries<HistogramValue>();
      register({ ...metric, type: 'histogram' }, () =>
        Array.from(series.values()).flatMap((one) => histogramSamples(buckets, one)),
      );
      return createHistogram(buckets, series);
    },
    render: () =>
      renderFamilies(Array.from(families.values(), (f) => ({ ...f.family, samples: f.samples() }))),
  };
}

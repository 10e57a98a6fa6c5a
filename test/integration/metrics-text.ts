export interface MetricSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  readonly timestampMs: number | undefined;
}

const line = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)(?: (-?\d+))?$/;
const label = /([a-zA-Z_]\w*)="((?:[^"\\\n]|\\[\\n"])*)"(?:,|$)/y;

function labelsOf(text: string): Readonly<Record<string, string>> {
  const labels: Record<string, string> = {};
  label.lastIndex = 0;
  while (label.lastIndex < text.length) {
    const [, name = '', value = ''] = label.exec(text) ?? [];
    if (name === '' || name in labels) throw new Error(`no labels: ${text}`);
    labels[name] = value;
  }
  return labels;
}

function sampleOf(text: string): MetricSample {
  const [, name, labels = '', valueText = '', timestamp] = line.exec(text) ?? [];
  const value = Number(valueText.replace('Inf', 'Infinity'));
  if (name === undefined || (Number.isNaN(value) && valueText !== 'NaN'))
    throw new Error(`no sample: ${text}`);
  const timestampMs = timestamp === undefined ? undefined : Number(timestamp);
  return { name, labels: labelsOf(labels), value, timestampMs };
}

/** Checks that a name is announced once, with all its samples behind it, and that no series comes twice. */
class Exposition {
  readonly samples: MetricSample[] = [];
  readonly #families = new Set<string>();
  readonly #series = new Set<string>();
  #family = '';

  comment(text: string): void {
    const [, kind, name = ''] = text.split(' ');
    if (kind !== 'HELP' && kind !== 'TYPE') throw new Error(`no comment: ${text}`);
    if (kind === 'HELP' && this.#families.has(name)) throw new Error(`announced twice: ${name}`);
    this.#families.add(name);
    this.#family = name;
  }

  sample(text: string): void {
    const sample = sampleOf(text);
    const { name, labels } = sample;
    if (!name.startsWith(this.#family)) throw new Error(`no sample of ${this.#family}: ${text}`);
    const pairs = Object.entries(labels).map(([key, value]) => `${key}=${JSON.stringify(value)}`);
    const series = [name, ...pairs.toSorted((a, b) => (a < b ? -1 : 1))].join();
    if (this.#series.has(series)) throw new Error(`twice: ${text}`);
    this.#series.add(series);
    this.samples.push(sample);
  }
}

/** Strict: what a parser of Prometheus would refuse throws. Source: prometheus.io, "Exposition formats". */
export function parseMetrics(text: string): readonly MetricSample[] {
  const exposition = new Exposition();
  if (text !== '' && !text.endsWith('\n')) throw new Error('the last line does not end');
  for (const one of text.split('\n').slice(0, -1)) {
    if (one.startsWith('#')) exposition.comment(one);
    else exposition.sample(one);
  }
  return exposition.samples;
}

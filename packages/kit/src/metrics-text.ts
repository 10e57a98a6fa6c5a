/** Label names and values; bounded sets only. */
export type Labels = Readonly<Record<string, string>>;

export interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
}

export interface Sample {
  readonly suffix: string;
  readonly labels: Labels;
  readonly value: number;
  /** When it was so, in milliseconds since the epoch. Default: when it is read. */
  readonly timestampMs?: number | undefined;
}

const escapeHelp = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
const escapeValue = (text: string): string => escapeHelp(text).replaceAll('"', '\\"');

function renderNumber(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (Number.isFinite(value)) return String(value);
  return value > 0 ? '+Inf' : '-Inf';
}

function renderSample(name: string, { suffix, labels, value, timestampMs }: Sample): string {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escapeValue(text)}"`);
  const set = pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
  const at = timestampMs === undefined ? '' : ` ${Math.trunc(timestampMs)}`;
  return `${name}${suffix}${set} ${renderNumber(value)}${at}\n`;
}

/** Prometheus text format 0.0.4. Pure. Source: prometheus.io, "Exposition formats". */
export function renderFamilies(
  families: readonly (Family & { readonly samples: readonly Sample[] })[],
): string {
  return families
    .map(({ name, help, type, samples }) => {
      const head = `# HELP ${name} ${escapeHelp(help)}\n# TYPE ${name} ${type}\n`;
      return head + samples.map((sample) => renderSample(name, sample)).join('');
    })
    .join('');
}

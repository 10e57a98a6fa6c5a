interface Unit {
  /** Seconds below which it is used. */
  readonly below: number;
  readonly size: number;
  readonly name: string;
  /** The smaller unit that follows it, if any. */
  readonly rest?: { readonly size: number; readonly name: string };
}

const [minute, hour, day, year] = [60, 3_600, 86_400, 31_536_000];

const units: readonly Unit[] = [
  { below: 2 * minute, size: 1, name: 's' },
  { below: 10 * minute, size: minute, name: 'm', rest: { size: 1, name: 's' } },
  { below: 3 * hour, size: minute, name: 'm' },
  { below: 8 * hour, size: hour, name: 'h', rest: { size: minute, name: 'm' } },
  { below: 2 * day, size: hour, name: 'h' },
  { below: 8 * day, size: day, name: 'd', rest: { size: hour, name: 'h' } },
  { below: 2 * year, size: day, name: 'd' },
  { below: 8 * year, size: year, name: 'y', rest: { size: day, name: 'd' } },
  { below: Number.POSITIVE_INFINITY, size: year, name: 'y' },
];

/** `4m30s`, `3h`, `12d`: the two largest units while the first is small. */
export function duration(ms: number): string {
  const seconds = Math.floor(ms / 1_000);
  if (seconds < -1) return '<invalid>';
  if (seconds < 0) return '0s';
  const unit = units.find(({ below }) => seconds < below);
  if (unit === undefined) return '';
  const { size, name, rest } = unit;
  const whole = `${Math.floor(seconds / size)}${name}`;
  const left = rest === undefined ? 0 : Math.floor((seconds % size) / rest.size);
  return rest === undefined || left === 0 ? whole : `${whole}${left}${rest.name}`;
}

/** The time since a timestamp of the API. */
export function age(timestamp: unknown, nowMs: number): string {
  const at = typeof timestamp === 'string' ? Date.parse(timestamp) : Number.NaN;
  return Number.isNaN(at) ? '<unknown>' : duration(nowMs - at);
}

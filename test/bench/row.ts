/** What a measure should reach: a bound on its own value, or on its ratio to the peer's. */
export type Goal =
  | { readonly kind: 'none' }
  | { readonly kind: 'at-most'; readonly value: number }
  | { readonly kind: 'at-most-ratio'; readonly ratio: number }
  | { readonly kind: 'at-least-ratio'; readonly ratio: number };

/** One measure as written to the JSON report. Values are medians over `samples`. */
export interface BenchRow {
  /** `<area>.<thing>[.<statistic>]`, such as `pods.start.p50`. */
  readonly id: string;
  /** SI or binary unit of `ours` and `peer`: `ms`, `MB`, `%`, `1/s`. */
  readonly unit: string;
  readonly ours: number;
  /** The same measure on the peer, taken side by side in the same run; null where there is none. */
  readonly peer: number | null;
  readonly peerName: string | null;
  /** The goal in words, such as `<= 0.8 x peer`; null where there is none. */
  readonly goal: string | null;
  /** Whether the goal is met; null where there is none. */
  readonly ok: boolean | null;
  /** How many samples of ours stand behind the median. */
  readonly samples: number;
}

export interface Measure {
  readonly id: string;
  readonly unit: string;
  readonly ours: readonly number[];
  readonly peer?: { readonly name: string; readonly values: readonly number[] };
  /** Which quantile of the samples is quoted; default 0.5, the median. */
  readonly quantile?: number;
  readonly goal?: Goal;
}

/** The quantile by linear interpolation between the two nearest samples. Throws on no samples. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (sorted.length - 1) * q;
  const low = sorted[Math.floor(at)];
  const high = sorted[Math.ceil(at)];
  if (low === undefined || high === undefined) throw new RangeError('a quantile needs at least one sample');
  return low + (high - low) * (at - Math.floor(at));
}

const rounded = (value: number): number => Number(value.toPrecision(4));

function judge(goal: Goal, ours: number, peer: number | null): Pick<BenchRow, 'goal' | 'ok'> {
  switch (goal.kind) {
    case 'none':
      return { goal: null, ok: null };
    case 'at-most':
      return { goal: `<= ${goal.value}`, ok: ours <= goal.value };
    case 'at-most-ratio':
      return { goal: `<= ${goal.ratio} x peer`, ok: peer === null ? null : ours <= goal.ratio * peer };
    case 'at-least-ratio':
      return { goal: `>= ${goal.ratio} x peer`, ok: peer === null ? null : ours >= goal.ratio * peer };
  }
}

/** Turns samples into a row. Pure. */
export function row(measure: Measure): BenchRow {
  const q = measure.quantile ?? 0.5;
  const ours = quantile(measure.ours, q);
  const peer = measure.peer === undefined ? null : quantile(measure.peer.values, q);
  return {
    id: measure.id,
    unit: measure.unit,
    ours: rounded(ours),
    peer: peer === null ? null : rounded(peer),
    peerName: measure.peer?.name ?? null,
    ...judge(measure.goal ?? { kind: 'none' }, ours, peer),
    samples: measure.ours.length,
  };
}

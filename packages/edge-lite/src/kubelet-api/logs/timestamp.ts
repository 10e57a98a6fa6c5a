/** A time as logs have it, to the nanosecond. */
export interface Timestamp {
  /** Since the epoch. */
  readonly ns: bigint;
  /** With nine digits of a second always, in the zone in which it was written. */
  readonly text: string;
}

const rfc3339 = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:[.,](\d{1,9}))?(Z|[+-]\d\d:\d\d)$/;

/** Undefined if it is none. Pure. Source: RFC 3339; Go's `RFC3339NanoLenient` and `RFC3339NanoFixed`. */
export function parseTimestamp(text: string): Timestamp | undefined {
  const [, seconds = '', fraction = '', zone = ''] = rfc3339.exec(text) ?? [];
  const ms = Date.parse(`${seconds}${zone}`);
  if (Number.isNaN(ms)) return undefined;
  const nanos = fraction.padEnd(9, '0');
  return { ns: BigInt(ms) * 1_000_000n + BigInt(nanos), text: `${seconds}.${nanos}${zone}` };
}

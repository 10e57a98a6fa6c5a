import { invalid } from './invalid.ts';
import { parseJson } from './json.ts';
import { textOf, valueOf, varintOf, wireFields } from './wire.ts';

/** What JSON can say: the years 1 to 9999. Source: RFC 3339. */
const [minSeconds, maxSeconds] = [-62_135_596_800, 253_402_300_799];

/** The values of a small message by field number, the last one of each. */
function valuesOf(bytes: Uint8Array): ReadonlyMap<number, Uint8Array> {
  return new Map(Array.from(wireFields(bytes), (field) => [field.number, valueOf(bytes, field)]));
}

const numberOf = (bytes: Uint8Array | undefined): number => (bytes === undefined ? 0 : varintOf(bytes));

/** `2026-01-02T03:04:05`, and the nanoseconds; undefined for the zero time. */
function timestamp(bytes: Uint8Array): readonly [text: string, nanos: number] | undefined {
  if (bytes.length === 0) return undefined;
  const values = valuesOf(bytes);
  const [seconds, nanos] = [numberOf(values.get(1)), numberOf(values.get(2))];
  if (seconds < minSeconds || seconds > maxSeconds || nanos < 0 || nanos >= 1e9)
    throw invalid('a time in it is out of range');
  return [new Date(seconds * 1_000).toISOString().slice(0, 19), nanos];
}

/** Types with a form of their own in JSON, by their names in `schemas`. */
export const wellKnown = {
  Time: (bytes: Uint8Array): string | undefined => {
    const time = timestamp(bytes);
    return time === undefined ? undefined : `${time[0]}Z`;
  },
  MicroTime: (bytes: Uint8Array): string | undefined => {
    const time = timestamp(bytes);
    if (time === undefined) return undefined;
    const micros = Math.floor(time[1] / 1_000);
    return `${time[0]}.${String(micros).padStart(6, '0')}Z`;
  },
  Quantity: (bytes: Uint8Array): string => textOf(valuesOf(bytes).get(1) ?? new Uint8Array()),
  IntOrString: (bytes: Uint8Array): number | string => {
    const values = valuesOf(bytes);
    const isText = numberOf(values.get(1)) !== 0;
    return isText ? textOf(values.get(3) ?? new Uint8Array()) : numberOf(values.get(2));
  },
  Strings: (bytes: Uint8Array): readonly string[] =>
    Array.from(wireFields(bytes))
      .filter(({ number }) => number === 1)
      .map((field) => textOf(valueOf(bytes, field))),
  Raw: (bytes: Uint8Array): unknown => {
    const raw = valuesOf(bytes).get(1);
    return raw === undefined || raw.length === 0 ? undefined : parseJson(raw);
  },
} as const;

export const isWellKnown = (type: string): type is keyof typeof wellKnown => Object.hasOwn(wellKnown, type);

import { fc, it } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { parseTimestamp } from './timestamp.ts';

const pad = (value: number, digits: number): string => String(value).padStart(digits, '0');
const zone = fc.oneof(
  fc.constant({ text: 'Z', minutes: 0 }),
  fc.tuple(fc.constantFrom(1, -1), fc.nat(14), fc.nat(59)).map(([sign, hours, minutes]) => ({
    text: `${sign < 0 ? '-' : '+'}${pad(hours, 2)}:${pad(minutes, 2)}`,
    minutes: sign * (hours * 60 + minutes),
  })),
);
/** Whole seconds from 0000 to 9999, as the clocks of a zone show them. */
const seconds = fc.integer({ min: -62_167_219_200, max: 253_402_300_799 });
const fraction = fc.array(fc.nat(9), { maxLength: 9 }).map((digits) => digits.join(''));

describe('a time in a log', () => {
  it.prop([seconds, fraction, zone, fc.constantFrom('.', ',')])(
    'is that many nanoseconds since the epoch, and is written with nine digits',
    (shown, digits, { text, minutes }, point) => {
      const clock = new Date(shown * 1_000).toISOString().slice(0, 19);
      const nanos = digits.padEnd(9, '0');
      const ns = BigInt(shown - minutes * 60) * 1_000_000_000n + BigInt(nanos);
      const time = parseTimestamp(`${clock}${digits === '' ? '' : `${point}${digits}`}${text}`);
      expect(time).toEqual({ ns, text: `${clock}.${nanos}${text}` });
      expect(parseTimestamp(time?.text ?? '')).toEqual(time);
    },
  );

  const character = fc.constantFrom(...'0123456789-:.,TZ+ ztéA'.split(''));
  it.prop([fc.oneof(fc.string(), fc.string({ unit: character, maxLength: 40 }))])(
    'is none, or one that reads the same again, whatever is there',
    (text) => {
      const time = parseTimestamp(text);
      if (time !== undefined) expect(parseTimestamp(time.text)).toEqual(time);
    },
  );

  it.each(['2026-13-01T00:00:00Z', '2026-01-32T00:00:00Z', '2026-01-01T25:00:00Z', '2026-01-01T00:00:00'])(
    '%s is none',
    (text) => {
      expect(parseTimestamp(text)).toBeUndefined();
    },
  );
});

import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { isOpen, nextOpening, parseWindows } from './windows.ts';

const minute = 60_000;
const at = (text: string): number => Date.parse(text);
const window = (cron: string, durationMinutes = 60, timeZone = 'UTC') => ({
  cron,
  durationMinutes,
  timeZone,
});

/** Moments at which it opens, from one moment on. */
function openings(cron: string, timeZone: string, from: string, count: number): readonly string[] {
  const windows = parseWindows([window(cron, 1, timeZone)]);
  const found: string[] = [];
  for (let now = at(from); found.length < count; ) {
    const next = nextOpening(windows, now) ?? Number.NaN;
    found.push(new Date(next).toISOString().slice(0, 16));
    now = next + minute;
  }
  return found;
}

describe('a maintenance window', () => {
  test('is open from its moment on until its time is over', () => {
    const windows = parseWindows([window('30 2 * * *')]);
    const opening = at('2026-05-04T02:30:00Z');
    const moments = [opening - 1, opening, opening + 60 * minute - 1, opening + 60 * minute];
    expect(moments.map((now) => isOpen(windows, now))).toEqual([false, true, true, false]);
    expect(nextOpening(windows, opening - 1)).toBe(opening);
    expect(nextOpening(windows, opening + 5)).toBe(opening + 5);
    expect(nextOpening(windows, opening + 60 * minute)).toBe(opening + 24 * 60 * minute);
  });

  test('goes over midnight, and several do for each other', () => {
    const windows = parseWindows([window('0 23 * * SAT', 120), window('0 3 * * SUN')]);
    const sunday = at('2026-05-03T00:00:00Z');
    const hours = [0, 1, 2, 3, 4].map((hour) => isOpen(windows, sunday + hour * 60 * minute));
    expect(hours).toEqual([true, false, false, true, false]);
    expect(nextOpening(windows, sunday + 60 * minute)).toBe(sunday + 180 * minute);
  });

  test('is not needed: a unit without any may always be changed', () => {
    expect([isOpen([], 5), nextOpening([], 5)]).toEqual([true, 5]);
  });

  test('may never open', () => {
    const never = parseWindows([window('0 0 30 2 *')]);
    expect([isOpen(never, 5), nextOpening(never, 5)]).toEqual([false, undefined]);
  });

  test.each([
    ['30 2 * * *', 'Europe/Berlin', ['2026-03-28T01:30', '2026-03-29T01:00', '2026-03-30T00:30']],
    ['30 2,14 * * *', 'Europe/Berlin', ['2026-03-28T01:30', '2026-03-28T13:30', '2026-03-29T01:00']],
    ['30 */2 29 3 *', 'Europe/Berlin', ['2026-03-28T23:30', '2026-03-29T02:30', '2026-03-29T04:30']],
    ['15 2 * * *', 'Australia/Lord_Howe', ['2026-10-02T15:45', '2026-10-03T15:30', '2026-10-04T15:15']],
  ])('%s in %s opens at %s where clocks are put forward', (cron, timeZone, moments) => {
    expect(openings(cron, timeZone, `${moments[0]}:00Z`, 3)).toEqual(moments);
  });

  test.each([
    ['30 2 * * *', ['2026-10-25T00:30', '2026-10-26T01:30', '2026-10-27T01:30']],
    ['30 * 25 10 *', ['2026-10-24T22:30', '2026-10-24T23:30', '2026-10-25T00:30', '2026-10-25T01:30']],
  ])('%s opens at %s where clocks are put back', (cron, moments) => {
    expect(openings(cron, 'Europe/Berlin', '2026-10-24T12:00:00Z', moments.length)).toEqual(moments);
  });

  test('has lists, ranges, steps and names', () => {
    const moments = openings('0,30 22-23/1 * jan,FEB mon-Fri', 'UTC', '2026-02-27T22:30:00Z', 4);
    expect(moments).toEqual(['2026-02-27T22:30', '2026-02-27T23:00', '2026-02-27T23:30', '2027-01-01T22:00']);
  });

  test.each([
    ['0 0 * *', 'UTC'],
    ['0 0 0 * * *', 'UTC'],
    ['60 0 * * *', 'UTC'],
    ['0 24 * * *', 'UTC'],
    ['0 0 * * FUN', 'UTC'],
    ['0 0 * * *', 'Mars/Olympus'],
  ])('%s in %s cannot be used', (cron, timeZone) => {
    expect(() => parseWindows([window(cron, 1, timeZone)])).toThrow(
      expect.objectContaining({ code: 'Invalid', message: expect.stringContaining(timeZone) }),
    );
  });
});

const minutes = fc.integer({ min: 0, max: 59 });
const hours = fc.integer({ min: 0, max: 23 });
const patterns = fc.oneof(
  fc.tuple(minutes, hours).map(([m, h]) => `${m} ${h} * * *`),
  minutes.map((m) => `${m} */3 * * *`),
);
/** Around both changes of the clocks in 2026. */
const moments = fc
  .tuple(
    fc.constantFrom('2026-03-29T01:00:00Z', '2026-10-25T01:00:00Z'),
    fc.integer({ min: -2_880, max: 2_880 }),
  )
  .map(([change, offset]) => at(change) + offset * minute);

property.prop([patterns, fc.integer({ min: 1, max: 600 }), moments], { numRuns: 60 })(
  'is open exactly while an opening that was told before is not over',
  (cron, durationMinutes, now) => {
    const brief = parseWindows([window(cron, 1, 'Europe/Berlin')]);
    const windows = parseWindows([window(cron, durationMinutes, 'Europe/Berlin')]);
    let opening = nextOpening(brief, now - 3 * 1_440 * minute) ?? Number.NaN;
    let isExpected = false;
    for (; opening <= now; opening = nextOpening(brief, opening + minute) ?? Number.NaN) {
      if (now < opening + durationMinutes * minute) isExpected = true;
    }
    expect(isOpen(windows, now)).toBe(isExpected);
    expect(nextOpening(windows, now)).toBe(isExpected ? now : opening);
  },
);

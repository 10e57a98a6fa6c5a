import { describe, expect, test } from 'vitest';
import { born, changed, placeOf, progressed, reaches, reservedAhead, resumed, unborn } from './order.ts';
import { localSteps, natural, upstreamOf } from './versions.ts';

const kept = { version: natural(50n), lastEntry: natural(40n), reserved: natural(50n) };
const crashed = { ...kept, reserved: natural(50n) + reservedAhead };

describe('after a stop in peace', () => {
  test('clients go on from the last change', () => {
    const order = resumed(kept);
    expect(reaches(order, order.lastEntry, natural(40n))).toBe(true);
    expect(reaches(order, order.lastEntry, natural(45n))).toBe(true);
    expect(reaches(order, order.lastEntry, natural(39n))).toBe(false);
    expect(reaches(order, order.lastEntry, natural(51n))).toBe(false);
  });

  test('upstream changes take their natural place', () => {
    expect(changed(resumed(kept), 60n).version).toBe(natural(60n));
    expect(progressed(resumed(kept), 60n)).toMatchObject({ version: natural(60n), lastEntry: natural(40n) });
  });
});

describe('after a crash', () => {
  test('versions go on above all that may have been handed out', () => {
    for (const next of [changed(resumed(crashed), 60n), progressed(resumed(crashed), 60n)]) {
      expect(next.version).toBe(crashed.reserved + 1n);
      expect(next.lastEntry).toBe(next.version);
    }
  });

  test('what may have been handed out and lost answers 410 for ever, what is on disk does not', () => {
    let order = resumed(crashed);
    for (const upstream of [60n, 61n, 70n]) {
      order = changed(order, upstream);
      expect(reaches(order, kept.lastEntry, natural(50n))).toBe(true);
      for (const lost of [natural(50n) + 1n, natural(60n), crashed.reserved])
        expect(reaches(order, kept.lastEntry, lost)).toBe(false);
      expect(reaches(order, kept.lastEntry, order.version)).toBe(true);
    }
  });

  test('a client that came after it goes on watching', () => {
    const order = changed(resumed(crashed), 60n);
    const later = changed(progressed(order, 65n), 66n);
    expect(reaches(later, kept.lastEntry, order.version)).toBe(true);
  });
});

describe('a fresh database', () => {
  test('begins at a place that no earlier one handed out', () => {
    const earlier = born(unborn(0n), 50n, localSteps / 2n + 5n);
    const later = born(unborn(0n), 50n, localSteps / 2n + 900n);
    const after = changed(later, 51n);
    for (const version of [natural(49n), natural(50n), earlier.version])
      expect(reaches(after, later.lastEntry, version)).toBe(false);
    expect(reaches(after, later.lastEntry, later.version)).toBe(true);
  });

  test('promises nothing before its first complete list', () => {
    const order = changed(unborn(0n), 50n);
    expect(reaches(order, 0n, order.version)).toBe(false);
  });
});

test('progress that is known already changes nothing', () => {
  const order = changed(resumed(kept), 60n);
  expect(progressed(order, 55n)).toBe(order);
});

test('a list stands where it was made, but never before the last change nor beyond what was told', () => {
  const order = progressed(changed(resumed(kept), 60n), 70n);
  expect(placeOf(order, 80n)).toBe(natural(70n));
  expect(placeOf(order, 70n)).toBe(natural(70n));
  expect(upstreamOf(placeOf(order, 65n))).toBe(65n);
  expect(placeOf(order, 55n)).toBe(natural(60n));
});

import { fc, test as property } from '@fast-check/vitest';
import { expect, test } from 'vitest';
import { rotationTime } from './rotation-time.ts';

const share = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

property.prop([fc.nat(), fc.nat(), share])(
  'a certificate is replaced at 70 to 90 % of its life',
  (from, life, dice) => {
    const at = rotationTime({ notBeforeMs: from, notAfterMs: from + life }, undefined, () => dice);
    expect(at).toBeGreaterThanOrEqual(from + life * 0.7 - 1);
    expect(at).toBeLessThanOrEqual(from + life * 0.9 + 1);
  },
);

test('never sooner than a minute after the last time', () => {
  const short = { notBeforeMs: 0, notAfterMs: 10_000 };
  expect(rotationTime(short, 500_000, () => 0)).toBe(560_000);
  expect(rotationTime({ notBeforeMs: 0, notAfterMs: 1_000_000 }, 5_000, () => 0)).toBe(700_000);
});

import { fc, test as property } from '@fast-check/vitest';
import { expect, it } from 'vitest';
import { lineThrough, valueAt } from './linear.ts';

const number = fc.integer({ min: -1_000, max: 1_000 });

property.prop([number, number, fc.uniqueArray(number, { minLength: 2 })])(
  'finds the line that all points are on',
  (slope, intercept, places) => {
    const line = lineThrough(places.map((x) => [x, slope * x + intercept]));
    expect(valueAt(line, 2_000)).toBeCloseTo(2_000 * slope + intercept, 3);
  },
);

it('goes between points that are on none', () => {
  const line = lineThrough([
    [0, 0],
    [0, 2],
    [2, 2],
    [2, 4],
  ]);
  expect(line).toEqual({ slope: 1, intercept: 1 });
});

it('asks for two points', () => {
  expect(() => lineThrough([[1, 1]])).toThrow('a line needs two points');
});

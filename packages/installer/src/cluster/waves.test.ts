import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { nodesAtOnce, parseMaxUnavailable } from './max-unavailable.ts';
import { wavesOf } from './waves.ts';

const nodes = fc.uniqueArray(
  fc.record({ name: fc.string({ minLength: 1 }), unit: fc.option(fc.constantFrom('a', 'b', 'c')) }),
  { selector: ({ name }) => name },
);
const max = fc.oneof(
  fc.record({ kind: fc.constant('count' as const), count: fc.integer({ min: 1, max: 9 }) }),
  fc.record({ kind: fc.constant('percent' as const), percent: fc.integer({ min: 1, max: 100 }) }),
);

describe('waves', () => {
  test.prop([nodes, max])('have each node once, one unit each, those of none at last', (all, most) => {
    const given = all.map(({ name, unit }) => (unit === null ? { name } : { name, unit }));
    const waves = wavesOf(given, most);
    const worked = waves.flatMap((wave) => wave.nodes.map(({ name }) => name));
    expect(worked.toSorted()).toEqual(all.map(({ name }) => name).toSorted());
    expect(waves.every((wave) => wave.nodes.every((one) => one.unit === wave.unit))).toBe(true);
    const units = waves.map(({ unit }) => unit ?? '~');
    expect(units).toEqual([...new Set(units)].toSorted());
    expect(waves.every(({ atOnce }) => atOnce >= 1)).toBe(true);
  });

  it.each([
    ['1', 10, 1],
    ['3', 2, 3],
    ['25%', 10, 2],
    ['25%', 3, 1],
    ['100%', 7, 7],
  ])('with %s of %i nodes work on %i at a time', (text, count, expected) => {
    expect(nodesAtOnce(parseMaxUnavailable(text), count)).toBe(expected);
  });

  it.each(['0', '', '-1', '101%', '1.5', '0%', 'all'])('are not made for "%s"', (text) => {
    expect(() => parseMaxUnavailable(text)).toThrow(expect.objectContaining({ code: 'Invalid' }));
  });
});

import { fc, test as property } from '@fast-check/vitest';
import { labels } from '@selvedge/api';
import { describe, expect, test } from 'vitest';
import type { UnitValues } from '../rendering/index.ts';
import { type WavesOptions, wavesOf } from './waves.ts';

const unit = (name: string, tier = 'silver'): UnitValues => ({ name, labels: { [labels.unit]: name, tier } });
const shops = (count: number): readonly UnitValues[] =>
  Array.from({ length: count }, (_, place) => unit(`shop-${place}`, place < 3 ? 'gold' : 'silver'));

function sizes(units: readonly UnitValues[], waves: WavesOptions['waves']): readonly number[] {
  const { names, of } = wavesOf(units, { waves, seed: 'till' });
  return names.map((_, place) => Array.from(of.values()).filter((wave) => wave === place).length);
}

const gold = { name: 'gold', unitSelector: { matchLabels: { tier: 'gold' } } };

describe('waves', () => {
  test('are one with all units where none is asked for', () => {
    expect(wavesOf(shops(4), { waves: [], seed: 'till' }).names).toEqual(['Others']);
    expect(sizes(shops(4), [])).toEqual([4]);
  });

  test.each([
    [20, [3, 2, 5, 10]],
    [21, [3, 3, 5, 10]],
    [8, [3, 0, 1, 4]],
    [0, [0, 0, 0, 0]],
  ])('take what fits, then their share of all: of %i units %j', (count, expected) => {
    const shares = [gold, { name: 'some', percentage: 25 }, { name: 'half', percentage: 50 }];
    expect(sizes(shops(count), shares)).toEqual(expected);
  });

  test('begin elsewhere for another UnitApp', () => {
    const first = (seed: string): readonly string[] => {
      const { of } = wavesOf(shops(100), { waves: [{ name: 'few', percentage: 5 }], seed });
      return Array.from(of).flatMap(([name, wave]) => (wave === 0 ? [name] : []));
    };
    expect(first('till')).not.toEqual(first('scales'));
    expect(first('till')).toEqual(first('till'));
  });
});

const wave = fc.oneof(
  fc.constantFrom('gold', 'silver').map((tier) => ({ unitSelector: { matchLabels: { tier } } })),
  fc.integer({ min: 1, max: 100 }).map((percentage) => ({ percentage })),
);
const waves = fc
  .array(wave, { maxLength: 4 })
  .map((all) => all.map((one, place) => ({ name: `wave-${place}`, ...one })));
const units = fc
  .uniqueArray(fc.tuple(fc.integer({ min: 0, max: 99 }), fc.constantFrom('gold', 'silver')), {
    selector: ([number]) => number,
    minLength: 1,
    maxLength: 40,
  })
  .map((all) => all.map(([number, tier]) => unit(`u${number}`, tier)));

property.prop([units, waves])('have each unit once, in whatever order units are told', (all, wanted) => {
  const { names, of } = wavesOf(all, { waves: wanted, seed: 'till' });
  expect(Array.from(of.keys()).toSorted()).toEqual(all.map(({ name }) => name).toSorted());
  for (const place of of.values()) expect(names[place]).toBeDefined();
  const reversed = wavesOf(all.toReversed(), { waves: wanted, seed: 'till' });
  expect(new Map(reversed.of)).toEqual(new Map(of));
});

property.prop([units, waves])(
  'move at most one unit at each border when one comes or goes',
  (all, wanted) => {
    const [, ...rest] = all;
    const before = wavesOf(all, { waves: wanted, seed: 'till' });
    const after = wavesOf(rest, { waves: wanted, seed: 'till' });
    const moved = rest.filter(({ name }) => before.of.get(name) !== after.of.get(name));
    const borders = wanted.filter((one) => 'percentage' in one).length;
    expect(moved.length).toBeLessThanOrEqual(borders);
  },
);

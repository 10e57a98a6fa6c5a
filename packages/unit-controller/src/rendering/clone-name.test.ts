import { fc, test as property } from '@fast-check/vitest';
import { maxWorkloadName } from '@selvedge/api';
import { describe, expect, test } from 'vitest';
import { childName, cloneName } from './clone-name.ts';

const label = /^[a-z]([-a-z0-9]*[a-z0-9])?$/;

describe('the name of a clone', () => {
  test.each([
    ['till', 'shop-1', 'till-shop-1'],
    ['till-a', 'shop-1', 'till-a-shop-1-1s9kxmj975'],
    ['till', 'a-shop-1', 'till-a-shop-1'],
    ['till', 'a-shop-1-0123456789', 'till-a-shop-1-0123456789-r6tcebqs27'],
    ['till', 's'.repeat(63), `till-${'s'.repeat(36)}-yzgxwszstb`],
  ])('of %s in %s is %s', (app, unit, name) => {
    expect(cloneName(app, unit)).toBe(name);
  });
});

/** Few characters: what could collide comes up. */
const piece = fc.stringMatching(/^[ab0-]{0,6}$/);
const name = (most: number) =>
  fc
    .tuple(piece, piece, fc.constantFrom('', '-0123456789', 'a'.repeat(60)))
    .map(([one, other, tail]) => `a${one}${tail}${other}b`.slice(0, most).replace(/-+$/, 'b'));
const pair = fc.tuple(name(maxWorkloadName), name(63));

property.prop([fc.uniqueArray(pair, { selector: (both) => both.join('/'), maxLength: 40 })])(
  'is another one for another app or unit, and can be a name of anything',
  (pairs) => {
    const names = pairs.map(([app, unit]) => cloneName(app, unit));
    expect(new Set(names).size).toBe(pairs.length);
    for (const one of names) {
      expect(one).toMatch(label);
      expect(one.length).toBeLessThanOrEqual(maxWorkloadName);
    }
  },
);

/** Whoever may name UnitApps and units may name them after a clone. */
const splits = (text: string): readonly (readonly [string, string])[] =>
  Array.from(text.matchAll(/-/g), ({ index }) => [text.slice(0, index), text.slice(index + 1)] as const);

property.prop([pair, fc.constantFrom('', '-a', '-0123456789')])(
  'cannot be had by names that are chosen for it',
  ([app, unit], tail) => {
    const wanted = cloneName(app, unit);
    const chosen = [...splits(wanted), ...splits(`${app}-${unit}`), ...splits(`${wanted}${tail}`)];
    for (const [otherApp, otherUnit] of chosen) {
      const isSame = otherApp === app && otherUnit === unit;
      expect(cloneName(otherApp, otherUnit) === wanted).toBe(isSame);
    }
  },
);

const three = fc.tuple(name(maxWorkloadName), name(maxWorkloadName), name(63));

property.prop([fc.uniqueArray(three, { selector: (all) => all.join('/'), maxLength: 40 })])(
  'of a ConfigMap or Secret is another one for another app, child or unit',
  (all) => {
    const names = all.map(([app, child, unit]) => childName(app, child, unit));
    expect(new Set(names).size).toBe(all.length);
    for (const one of names) expect(one).toMatch(label);
  },
);

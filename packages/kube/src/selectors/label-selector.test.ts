import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import {
  formatLabelSelector,
  labelRequirementsOf,
  matchesLabels,
  parseLabelSelector,
  type LabelRequirements,
  type LabelSet,
} from './label-selector.ts';

const key = fc.constantFrom('app', 'tier', 'in', 'notin', 'a.b/c', 'x_y');
const value = fc.constantFrom('', '1', '7', 'in', 'notin', 'web', 'a.b');
const sets = fc.dictionary(key, value, { maxKeys: 4 }).map((labels): LabelSet => ({ ...labels }));
const requirement = fc.oneof(
  fc.record({
    key,
    operator: fc.constantFrom('In' as const, 'NotIn' as const),
    values: fc.uniqueArray(value, { minLength: 1, maxLength: 3 }).map((values) => values.toSorted()),
  }),
  fc.record({
    key,
    operator: fc.constantFrom('Exists' as const, 'DoesNotExist' as const),
    values: fc.constant<string[]>([]),
  }),
  fc.record({
    key,
    operator: fc.constantFrom('Gt' as const, 'Lt' as const),
    values: fc.integer().map((n) => [String(Math.abs(n))]),
  }),
);
const requirements: fc.Arbitrary<LabelRequirements> = fc.uniqueArray(requirement, {
  maxLength: 4,
  selector: ({ key: one }) => one,
});
const byKey = (list: LabelRequirements): LabelRequirements =>
  list.toSorted((a, b) => (a.key < b.key ? -1 : 1));

describe('label selectors', () => {
  it.each([
    ['', {}, true],
    ['a=b', { a: 'b' }, true],
    ['a == b', { a: 'c' }, false],
    ['a!=b', {}, true],
    ['a in (b, c)', { a: 'c' }, true],
    ['a notin (b,c)', { a: 'c' }, false],
    ['a notin (b,c)', {}, true],
    ['a', { a: '' }, true],
    ['!a', { a: '' }, false],
    ['a=', { a: '' }, true],
    ['a>5', { a: '6' }, true],
    ['a<5', { a: 'x' }, false],
    ['a in (),b', { a: '', b: 'x' }, true],
    ['toString', {}, false],
    ['!constructor', {}, true],
  ])('%j on %j matches: %s', (text, labels, matches) => {
    expect(matchesLabels(parseLabelSelector(text), labels as LabelSet)).toBe(matches);
  });

  it.each([
    ',',
    'a,',
    'a b',
    'a in b',
    'a in (b',
    '=b',
    'a>x',
    'a>',
    '-a',
    'a/b/c',
    'A.B/c',
    'a=-',
    '!a=b',
    'a=b c',
  ])('refuses %j', (text) => {
    expect(() => parseLabelSelector(text)).toThrow(expect.objectContaining({ code: 'Invalid' }));
  });

  it('says what it found and what it expected', () => {
    expect(() => parseLabelSelector('a in b')).toThrow(`selector "a in b": found 'b', expected '('`);
  });

  it('takes the object form', () => {
    const selector = labelRequirementsOf({
      matchLabels: { app: 'web' },
      matchExpressions: [
        { key: 'tier', operator: 'NotIn', values: ['b', 'a'] },
        { key: 'canary', operator: 'DoesNotExist' },
      ],
    });
    expect(formatLabelSelector(selector)).toBe('app=web,!canary,tier notin (a,b)');
    expect(matchesLabels(labelRequirementsOf({}), undefined)).toBe(true);
    const wrong = { matchExpressions: [{ key: 'a', operator: 'Near', values: ['b'] }] };
    expect(() => labelRequirementsOf(wrong)).toThrow(expect.objectContaining({ code: 'Invalid' }));
  });

  property.prop([requirements])('reads back what it writes', (list) => {
    expect(parseLabelSelector(formatLabelSelector(list))).toEqual(byKey(list));
  });

  property.prop([requirement, sets])('matches either a requirement or its opposite', (one, labels) => {
    const opposites = { In: 'NotIn', NotIn: 'In', Exists: 'DoesNotExist', DoesNotExist: 'Exists' } as const;
    if (one.operator === 'Gt' || one.operator === 'Lt') return;
    const opposite = { ...one, operator: opposites[one.operator] };
    expect(matchesLabels([one], labels)).toBe(!matchesLabels([opposite], labels));
  });

  property.prop([requirements, requirements, sets])('is the conjunction of its parts', (a, b, labels) => {
    expect(matchesLabels([...a, ...b], labels)).toBe(matchesLabels(a, labels) && matchesLabels(b, labels));
  });
});

import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { formatFieldSelector, matchesFields, parseFieldSelector } from './field-selector.ts';

const requirement = fc.record({
  field: fc.constantFrom('metadata.name', 'spec.nodeName', 'status.phase'),
  operator: fc.constantFrom('=' as const, '!=' as const),
  value: fc.string(),
});

describe('field selectors', () => {
  it.each([
    ['metadata.name=a', 'metadata.name=a'],
    ['metadata.name==a', 'metadata.name=a'],
    [',status.phase!=Running,', 'status.phase!=Running'],
    [String.raw`a=b\,c`, String.raw`a=b\,c`],
  ])('reads %s as %s', (text, canonical) => {
    expect(formatFieldSelector(parseFieldSelector(text))).toBe(canonical);
  });

  it.each(['a', 'a=b=c', String.raw`a=b\x`, 'a=b\\'])('refuses %j', (text) => {
    expect(() => parseFieldSelector(text)).toThrow(expect.objectContaining({ code: 'Invalid' }));
  });

  it('takes a field that is not there as the empty string', () => {
    const fieldOf = (field: string): string => ({ 'spec.nodeName': 'n' })[field] ?? '';
    expect(matchesFields(parseFieldSelector('spec.nodeName=n,other!=x'), fieldOf)).toBe(true);
    expect(matchesFields(parseFieldSelector('other='), fieldOf)).toBe(true);
  });

  property.prop([fc.array(requirement, { maxLength: 3 })])('reads back what it writes', (list) => {
    const text = formatFieldSelector(list);
    expect(formatFieldSelector(parseFieldSelector(text)).split(',').toSorted()).toEqual(
      text.split(',').toSorted(),
    );
    expect(parseFieldSelector(text)).toHaveLength(list.length);
  });
});

import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';

import { expand } from './expand.ts';

const values: Readonly<Record<string, string>> = { A: 'alpha', B: '$(A)', EMPTY: '' };
const lookup = (name: string): string | undefined => values[name];

describe('expansion', () => {
  // Rows of third_party/forked/golang/expansion of Kubernetes 1.36, and those at its edges.
  it.each([
    ['$(A)', 'alpha'],
    ['-$(A)-$(A)', '-alpha-alpha'],
    ['$$(A)', '$(A)'],
    ['$$$(A)', '$alpha'],
    ['$$$$(A)', '$$(A)'],
    ['$(B)', '$(A)'],
    ['$(UNKNOWN)', '$(UNKNOWN)'],
    ['$(EMPTY)|', '|'],
    ['$()', '$()'],
    ['$A', '$A'],
    ['$(A', '$(A'],
    ['$(A$(A)', '$(A$(A)'],
    ['foo$', 'foo$'],
    ['$$', '$'],
    ['$é(A)', '$é(A)'],
    ['$($(A)', '$($(A)'],
  ])('%s becomes %s', (text, expanded) => {
    expect(expand(text, lookup)).toBe(expanded);
  });

  property.prop([fc.string().map((text) => text.replaceAll('$', ''))])(
    'leaves a text without dollars alone',
    (text) => {
      expect(expand(text, lookup)).toBe(text);
    },
  );

  property.prop([fc.string()])('gives back a text whose dollars are doubled', (text) => {
    expect(expand(text.replaceAll('$', '$$$$'), lookup)).toBe(text);
  });

  property.prop([fc.string().filter((text) => !text.includes('$')), fc.string()])(
    'puts values in as they are',
    (prefix, value) => {
      expect(expand(`${prefix}$(X)`, (name) => (name === 'X' ? value : undefined))).toBe(prefix + value);
    },
  );
});

import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { fitted, printable, table, truncated, widthOf, wrapped } from './index.ts';
import { durationText } from '../../duration-text.ts';
import { parseDuration } from './duration.ts';
import { styleOf } from './style.ts';

describe('what others say', () => {
  it('does nothing to a terminal', () => {
    expect(printable('a\u001B]0;title\u0007b\nc\u202Ed')).toBe('a ]0;title b cd');
  });

  property.prop([fc.string({ unit: 'binary' })])('is one line without control characters', (text) => {
    expect(printable(text)).not.toMatch(/\p{Cc}/u);
  });
});

describe('a width', () => {
  it.each([
    ['shop-1', 6],
    ['\u001B[31mred\u001B[39m', 3],
    ['店舗', 4],
    ['é', 1],
    ['👍🏽', 2],
  ])('of %j is %i', (text, width) => {
    expect(widthOf(text)).toBe(width);
  });
});

describe('a truncated text', () => {
  it.each([
    ['shop-1', 6, 'shop-1'],
    ['shop-10', 6, 'shop-…'],
    ['店舗の名前', 6, '店舗…'],
    ['a', 0, ''],
  ])('%j in %i columns is %j', (text, columns, shown) => {
    expect(truncated(text, columns)).toBe(shown);
  });

  property.prop([fc.string({ unit: 'grapheme' }), fc.nat({ max: 60 })])(
    'is never wider than asked',
    (text, columns) => {
      expect(widthOf(truncated(text, columns))).toBeLessThanOrEqual(Math.max(columns, 0));
    },
  );
});

describe('a wrapped line', () => {
  it('keeps its margin, and hangs further in if asked', () => {
    expect(wrapped('  one two three four', 10, 2)).toEqual(['  one two', '    three', '    four']);
  });

  it('leaves a long word whole: it is copied as one', () => {
    expect(wrapped('  --ca-hash sha256:0123456789', 12)).toEqual(['  --ca-hash', '  sha256:0123456789']);
  });

  property.prop([
    fc.array(fc.stringMatching(/^[a-z]{1,12}$/), { minLength: 1 }),
    fc.integer({ min: 12, max: 60 }),
  ])('has all words in their order, and no line too wide', (all, columns) => {
    const lines = wrapped(all.join(' '), columns);
    expect(lines.join(' ')).toBe(all.join(' '));
    expect(Math.max(...lines.map(widthOf))).toBeLessThanOrEqual(columns);
  });

  it('is not made of a command that is to be typed', () => {
    const command = '    selvedge join --server https://203.0.113.9:6443';
    expect(fitted(`On the machine:\n${command}`, 10)).toBe(`On the\nmachine:\n${command}`);
    expect(fitted('as it is', undefined)).toBe('as it is');
  });
});

describe('a table', () => {
  const head = ['NAME', 'MEMBERS'];
  const rows = [['shop-1', '3']];

  it('has columns as wide as their widest cell', () => {
    expect(table(head, rows)).toBe('NAME    MEMBERS\nshop-1  3');
  });

  it('becomes a list of records where the terminal is too narrow', () => {
    expect(table(head, [...rows, ['shop-2', '4']], { columns: 12 })).toBe(
      'NAME     shop-1\nMEMBERS  3\n\nNAME     shop-2\nMEMBERS  4',
    );
  });
});

describe('a duration', () => {
  it.each([
    [0, '0.0 s'],
    [380, '0.4 s'],
    [9_940, '9.9 s'],
    [9_960, '10 s'],
    [340_000, '5 min 40 s'],
    [7_200_000, '2 h'],
    [7_500_000, '2 h 5 min'],
    [100_000_000, '1 d 3 h'],
  ])('of %i ms reads %s', (ms, text) => {
    expect(durationText(ms)).toBe(text);
  });

  it.each([
    ['90s', 90_000],
    ['1h30m', 5_400_000],
    ['7d', 604_800_000],
  ])('%s is %i ms', (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  it.each(['', '5', '2 h', '-1h', '1y'])('%j is none', (text) => {
    expect(() => parseDuration(text)).toThrow('is not a duration');
  });
});

describe('colours', () => {
  it.each([
    [true, { TERM: 'xterm' }, true],
    [true, { TERM: 'xterm', NO_COLOR: '1' }, false],
    [true, { TERM: 'xterm', NO_COLOR: '' }, true],
    [true, { TERM: 'dumb' }, false],
    [false, { TERM: 'xterm' }, false],
  ])('on a terminal: %s, with %j: %s', (isTTY, env, coloured) => {
    expect(styleOf(isTTY, env).colors.red('x') !== 'x').toBe(coloured);
  });

  it('are beside symbols that the locale has', () => {
    expect(styleOf(true, { LANG: 'en_GB.UTF-8' }).symbols.done).toBe('✓');
    expect(styleOf(true, { LANG: 'en_GB.UTF-8', LC_ALL: 'C' }).symbols.done).toBe('+');
  });
});

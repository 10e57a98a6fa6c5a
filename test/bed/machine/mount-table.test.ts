import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { mountTable } from './mount-table.ts';

const octal = (text: string): string =>
  text.replaceAll(/\\([0-7]{3})/g, (_, digits: string) => String.fromCodePoint(Number.parseInt(digits, 8)));

describe('mountTable', () => {
  it('writes one line for each mount, in their order', () => {
    const mounts = [
      { source: 'tmpfs', target: '/m/run', type: 'tmpfs', options: ['mode=755'] },
      { source: '/disk', target: '/m/var', type: 'bind' },
    ];
    expect(mountTable(mounts)).toBe(
      'tmpfs /m/run tmpfs mode=755,X-mount.mkdir 0 0\n/disk /m/var none bind,X-mount.mkdir 0 0\n',
    );
  });

  it('writes blanks and comment signs so that they stay in their field', () => {
    expect(mountTable([{ source: '/a b#c\\d', target: '/t', type: 'bind' }])).toContain(
      '/a\\040b\\043c\\134d ',
    );
  });

  test.prop([
    fc.string({ unit: 'binary-ascii', minLength: 1 }),
    fc.string({ unit: 'binary-ascii', minLength: 1 }),
  ])('gives paths back to whoever splits the fields', (source, target) => {
    const [line = '', ...rest] = mountTable([{ source, target, type: 'bind' }]).split('\n');
    expect(rest).toEqual(['']);
    const fields = line.split(/\s/).map(octal);
    expect(fields.slice(0, 2)).toEqual([source, target]);
  });
});

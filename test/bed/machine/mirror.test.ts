import { describe, expect, it } from 'vitest';
import { parseCodename, parseMirror } from './mirror.ts';

const debian = `http://archive.test/debian|bookworm|Debian|main
http://archive.test/debian|bookworm-updates|Debian|main
http://archive.test/debian-security|bookworm-security|Debian|main
https://vendor.test/apt|bookworm|Vendor|main
`;

describe('parseMirror', () => {
  it('finds the archive of the release itself', () => {
    expect(parseMirror(debian, 'bookworm')).toEqual({
      url: 'http://archive.test/debian',
      suite: 'bookworm',
      components: ['main'],
    });
  });

  it('lists the components of that archive once each', () => {
    const lines = ['universe', 'main', 'main'].map((each) => `http://a.test/ubuntu|noble|Ubuntu|${each}`);
    const elsewhere = 'http://b.test/ubuntu|noble|Ubuntu|restricted';
    expect(parseMirror([...lines, elsewhere].join('\n'), 'noble')?.components).toEqual(['main', 'universe']);
  });

  it.each([
    ['another release', debian, 'trixie'],
    ["nobody but a vendor's archive", 'https://vendor.test/apt|bookworm|Vendor|main', 'bookworm'],
    ['a transport that debootstrap lacks', 'cdrom:[Debian]/|bookworm|Debian|main', 'bookworm'],
    ['nothing', '', 'bookworm'],
  ])('finds nothing in %s', (_what, lines, suite) => {
    expect(parseMirror(lines, suite)).toBeUndefined();
  });
});

describe('parseCodename', () => {
  it('reads the code name with and without quotes', () => {
    expect(parseCodename('NAME="Debian"\nVERSION_CODENAME=bookworm\n')).toBe('bookworm');
    expect(parseCodename('VERSION_CODENAME="noble"')).toBe('noble');
    expect(parseCodename('PRETTY_NAME="x"')).toBeUndefined();
  });
});

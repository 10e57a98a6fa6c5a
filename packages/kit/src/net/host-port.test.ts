import { fc, it } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { formatHostPort, parseHostPort } from './host-port.ts';

describe('a host with a port', () => {
  it.each([
    ['node-1:10250', { host: 'node-1', port: 10250 }],
    ['Node_1.shop.example:1', { host: 'Node_1.shop.example', port: 1 }],
    ['192.0.2.1:65535', { host: '192.0.2.1', port: 65535 }],
    ['[2001:db8::1]:443', { host: '2001:db8::1', port: 443 }],
    ['[::ffff:192.0.2.1]:443', { host: '::ffff:192.0.2.1', port: 443 }],
  ])('is read from %s and written as it was', (text, target) => {
    expect(parseHostPort(text)).toEqual(target);
    expect(formatHostPort(target)).toBe(text);
  });

  it.each([
    '',
    'node-1',
    'node-1:',
    ':443',
    'node-1:0',
    'node-1:65536',
    'node-1:0443',
    'node-1:44 3',
    'node-1:443/',
    'node-1:443\n',
    ' node-1:443',
    'user@node-1:443',
    '2001:db8::1:443',
    '[2001:db8::1%eth0]:443',
    '[192.0.2.1]:443',
    '[node-1]:443',
    '[::1:443',
    '192.0.2.256:443',
    '1.2.3:443',
    '0x7f.1:443',
    '-node:443',
    'node-:443',
    'a..b:443',
    `${'a'.repeat(64)}:443`,
    `${'a.'.repeat(127)}a:443`,
    'nöde:443',
  ])('is not %j', (text) => {
    expect(parseHostPort(text)).toBeUndefined();
  });

  it.prop([fc.string({ unit: 'binary', maxLength: 300 })])('is nothing else, and reads back', (text) => {
    const target = parseHostPort(text);
    if (target !== undefined) expect(formatHostPort(target)).toBe(text);
  });

  it.prop([fc.oneof(fc.domain(), fc.ipV4(), fc.ipV6()), fc.integer({ min: 1, max: 65_535 })])(
    'is any name or address with a port',
    (host, port) => {
      expect(parseHostPort(formatHostPort({ host, port }))).toEqual({ host, port });
    },
  );
});

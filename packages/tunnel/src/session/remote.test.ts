import { describe, expect, it } from 'vitest';
import { remoteOf } from './remote.ts';

describe('the other end of a connection', () => {
  it.each([
    ['192.0.2.7', '192.0.2.7:443'],
    ['::ffff:192.0.2.7', '192.0.2.7:443'],
    ['2001:db8::7', '[2001:db8::7]:443'],
    ['fe80::7%eth0', '[fe80::7]:443'],
  ])('at %s is written %s', (remoteAddress, text) => {
    expect(remoteOf({ remoteAddress, remotePort: 443 })).toBe(text);
  });

  it('has no name once it is gone', () => {
    expect(remoteOf({ remoteAddress: undefined, remotePort: undefined })).toBeUndefined();
  });
});

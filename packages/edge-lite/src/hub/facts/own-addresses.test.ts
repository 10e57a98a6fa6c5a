import { describe, expect, it } from 'vitest';
import { isOwnAddress, plainAddress } from './own-addresses.ts';

const sources = {
  machine: () => ['192.168.50.11', 'fe80::1'],
  podRanges: () => ['10.244.3.0/24', 'fd00:3::/64', 'nonsense'],
  isPod: (address: string) => address === '172.30.0.9',
};

describe('an address of this node', () => {
  it.each([
    ['127.0.0.1', true],
    ['::1', true],
    ['192.168.50.11', true],
    ['::ffff:192.168.50.11', true],
    ['10.244.3.77', true],
    ['fd00:3::9', true],
    ['172.30.0.9', true],
    ['10.244.4.77', false],
    ['192.168.50.12', false],
    ['fd00:4::9', false],
    ['', false],
    ['somewhere', false],
  ])('%s: %s', (address, own) => {
    expect(isOwnAddress(address, sources)).toBe(own);
  });

  it('is told apart in the form in which sockets say it', () => {
    expect(plainAddress('::ffff:10.0.0.1')).toBe('10.0.0.1');
    expect(plainAddress('fe80::ffff:1')).toBe('fe80::ffff:1');
  });
});

import { isIP } from 'node:net';
import { fc, test } from '@fast-check/vitest';
import { expect } from 'vitest';
import { createIpRanges, isIpRange, isLoopback, isOfNoHost } from './ip-ranges.ts';

test.each([
  ['10.0.0.0/8', true],
  ['fd00::/64', true],
  ['::/0', true],
  ['10.0.0.0/33', false],
  ['10.0.0.0', false],
  ['10.0.0.0/', false],
  ['fe80::1%eth0/10', false],
  ['example/8', false],
])('%s is a network: %s', (text, is) => {
  expect(isIpRange(text)).toBe(is);
});

test.each([
  ['10.1.2.3', true],
  ['::ffff:10.1.2.3', true],
  ['11.0.0.1', false],
  ['fe80::1', true],
  ['fe80::1%eth0', true],
  ['::1', false],
  ['example', false],
])('%s is in one of them: %s', (address, is) => {
  expect(createIpRanges(['10.0.0.0/8', 'fe80::/10', 'nothing'])(address)).toBe(is);
});

test('all of IPv6 is nothing of IPv4', () => {
  const isV6 = createIpRanges(['::/0']);
  expect([isV6('2001:db8::1'), isV6('10.0.0.1'), isV6('::ffff:10.0.0.1')]).toEqual([true, false, false]);
});

test.each([
  ['127.8.9.1', true, true],
  ['::1', true, true],
  ['::ffff:127.0.0.1', true, true],
  ['0.0.0.0', false, true],
  ['::', false, true],
  ['169.254.169.254', false, true],
  ['::ffff:169.254.169.254', false, true],
  ['fe80::1%eth0', false, true],
  ['fd00:ec2::254', false, true],
  ['239.255.255.250', false, true],
  ['ff02::1', false, true],
  ['255.255.255.255', false, true],
  ['10.0.0.1', false, false],
  ['128.0.0.1', false, false],
  ['fd00:ec2::253', false, false],
  ['localhost', false, false],
])('%s is of the machine itself: %s, and of no one host: %s', (address, loopback, noHost) => {
  expect([isLoopback(address), isOfNoHost(address)]).toEqual([loopback, noHost]);
});

const address = fc.oneof(fc.ipV4(), fc.ipV6());
const bitsOf = (text: string): bigint => {
  if (!text.includes(':')) return text.split('.').reduce((sum, part) => (sum << 8n) | BigInt(part), 0n);
  const { hostname } = new URL(`http://[${text}]`);
  const [head = '', tail] = hostname.slice(1, -1).split('::');
  const groups = (part = ''): string[] => part.split(':').filter((group) => group !== '');
  const [before, after] = [groups(head), groups(tail)];
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => '0');
  return [...before, ...zeros, ...after].reduce((sum, group) => (sum << 16n) | BigInt(`0x${group}`), 0n);
};

test.prop([address, fc.nat(128), address])(
  'an address is in a network if, and only if, it begins with its bits',
  (network, bits, one) => {
    const range = `${network}/${bits}`;
    const width = network.includes(':') ? 128 : 32;
    expect(isIpRange(range)).toBe(bits <= width);
    const isIn = createIpRanges([range]);
    if (bits > width) {
      expect([isIn(network), isIn(one)]).toEqual([false, false]);
      return;
    }
    const rest = BigInt(width - bits);
    const of = (text: string): string => `${text.includes(':')} ${bitsOf(text) >> rest}`;
    // An IPv4 address inside of IPv6 is the IPv4 address.
    fc.pre([network, one].every((text) => !text.includes(':') || bitsOf(text) >> 32n !== 0xffffn));
    expect(isIn(network)).toBe(true);
    expect(isIn(one)).toBe(of(one) === of(network));
  },
);

test.prop([fc.ipV4(), fc.nat(32), fc.nat(31)])('it is the first bits that count', (network, bits, at) => {
  const flipped = bitsOf(network) ^ (1n << BigInt(31 - at));
  const other = [24n, 16n, 8n, 0n].map((shift) => (flipped >> shift) & 255n).join('.');
  expect(createIpRanges([`${network}/${bits}`])(other)).toBe(at >= bits);
});

test.prop([fc.string(), fc.string(), address])('nothing else is a network or in one', (text, other, one) => {
  const isIn = createIpRanges([text, `${text}/8`, `${one}/0${text}`]);
  expect(isIn(other) && isIP(other.split('%')[0] ?? '') === 0).toBe(false);
  if (isIpRange(text)) expect(isIP(text.split('/')[0] ?? '')).not.toBe(0);
});

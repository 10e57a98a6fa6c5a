import { expect, test } from 'vitest';
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

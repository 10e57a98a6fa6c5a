import { expect, test } from 'vitest';
import { createIpRanges, isIpRange } from './ip-ranges.ts';

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

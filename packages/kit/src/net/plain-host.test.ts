import { expect, test } from 'vitest';
import { plainHost } from './plain-host.ts';

test('a host has one spelling', () => {
  expect(plainHost('Shop-1.Example')).toBe('shop-1.example');
  expect(plainHost('192.0.2.1')).toBe('192.0.2.1');
  expect(plainHost('2001:DB8:0:0::0001')).toBe('2001:db8::1');
  expect(plainHost('::ffff:192.0.2.1')).toBe('192.0.2.1');
});

import { describe, expect, it } from 'vitest';
import { cloudAddresses, freeLanHost, lanAddresses } from './addresses.ts';

describe('addresses', () => {
  it('gives each bed a cloud network of its own', () => {
    expect(cloudAddresses(7)).toMatchObject({
      cidr: '10.60.7.0/24',
      cloud: '10.60.7.1',
      machine: '10.60.7.254',
    });
    expect(cloudAddresses(7).at(11)).toBe('10.60.7.11');
  });

  it('puts the router first into a LAN', () => {
    const lan = lanAddresses('192.168.50.0/24');
    expect([lan.router, lan.at(freeLanHost([]))]).toEqual(['192.168.50.1', '192.168.50.11']);
  });

  it.each(['192.168.50.0/16', '192.168.50.1/24', '192.168.300.0/24', 'fd00::/64', ''])(
    'refuses %j as a LAN',
    (cidr) => {
      expect(() => lanAddresses(cidr)).toThrow('is not an IPv4 /24');
    },
  );

  it('hands out the lowest free address until none is left', () => {
    expect(freeLanHost([11, 13])).toBe(12);
    const all = Array.from({ length: 239 }, (_, index) => index + 11);
    expect(() => freeLanHost(all)).toThrow('no address is left');
  });
});

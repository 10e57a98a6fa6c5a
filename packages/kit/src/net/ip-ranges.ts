import { BlockList, isIP } from 'node:net';
import { plainHost } from './plain-host.ts';

const familyOf = (address: string): 'ipv4' | 'ipv6' => (isIP(address) === 6 ? 'ipv6' : 'ipv4');

/** Whether it is a network with its bits, `10.0.0.0/8`. Pure. */
export function isIpRange(text: string): boolean {
  const [, network = '', bits = ''] = /^([^/%]+)\/(\d{1,3})$/.exec(text) ?? [];
  const family = isIP(network);
  return family !== 0 && Number(bits) <= (family === 6 ? 128 : 32);
}

/**
 * Whether an address is in one of these networks. An IPv4 address that is written as a part of IPv6 is the IPv4 address.
 * What is no network has no address in it, and what is no address is in none.
 */
export function createIpRanges(ranges: readonly string[]): (address: string) => boolean {
  // Node's list has all of IPv4 in `::/0`.
  const lists = { ipv4: new BlockList(), ipv6: new BlockList() };
  for (const range of ranges.filter(isIpRange)) {
    const [network = '', bits = ''] = range.split('/');
    const family = familyOf(network);
    lists[family].addSubnet(network, Number(bits), family);
  }
  return (address) => {
    const [bare = ''] = address.split('%');
    const plain = plainHost(bare);
    const family = familyOf(plain);
    return isIP(plain) !== 0 && lists[family].check(plain, family);
  };
}

/** The machine itself. */
export const isLoopback = createIpRanges(['127.0.0.0/8', '::1/128']);

/**
 * Addresses that are of no one host in a network, or mean another one on each machine: this network, loopback, link-local
 * (where clouds serve their metadata; on AWS at fd00:ec2::254 too), multicast, broadcast, unspecified. Source: IANA
 * special-purpose address registries.
 */
export const isOfNoHost = createIpRanges([
  '0.0.0.0/8',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '224.0.0.0/4',
  '255.255.255.255/32',
  '::/96',
  'fd00:ec2::254/128',
  'fe80::/10',
  'ff00::/8',
]);

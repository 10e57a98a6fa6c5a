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
  const list = new BlockList();
  for (const range of ranges.filter(isIpRange)) {
    const [network = '', bits = ''] = range.split('/');
    list.addSubnet(network, Number(bits), familyOf(network));
  }
  return (address) => {
    const [bare = ''] = address.split('%');
    const plain = plainHost(bare);
    return isIP(plain) !== 0 && list.check(plain, familyOf(plain));
  };
}

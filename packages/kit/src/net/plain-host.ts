import { SocketAddress, isIP } from 'node:net';

/** One spelling for each host: a name in lower case, an address as systems write it, IPv4 never as a part of IPv6. */
export function plainHost(host: string): string {
  if (isIP(host) !== 6) return host.toLowerCase();
  const { address } = new SocketAddress({ address: host, family: 'ipv6' });
  return address.replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/, '');
}

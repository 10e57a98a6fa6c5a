import { BlockList, isIP } from 'node:net';

export interface Sources {
  /** Addresses of this machine's interfaces. */
  readonly machine: () => readonly string[];
  /** The Node's `spec.podCIDRs`. */
  readonly podRanges: () => readonly string[];
  /** Whether a pod of this node has the address. */
  readonly isPod: (address: string) => boolean;
}

const familyOf = (address: string): 'ipv4' | 'ipv6' => (isIP(address) === 6 ? 'ipv6' : 'ipv4');

/** `::ffff:10.0.0.1` as a socket that listens for both families says it. */
export const plainAddress = (address: string): string => address.replace(/^::ffff:(?=\d+\.)/, '');

function within(range: string, address: string): boolean {
  const [network = '', bits = ''] = range.split('/');
  if (isIP(network) === 0 || isIP(network) !== isIP(address)) return false;
  const list = new BlockList();
  list.addSubnet(network, Number(bits), familyOf(network));
  return list.check(address, familyOf(address));
}

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

/**
 * Whether a connection comes from this node: from its loopback, one of its own addresses or one of its pods. A pod whose
 * address is not reported yet is known by the node's range of pod addresses.
 */
export function isOwnAddress(remoteAddress: string, sources: Sources): boolean {
  const address = plainAddress(remoteAddress);
  if (isIP(address) === 0) return false;
  if (loopback.check(address, familyOf(address))) return true;
  if (sources.machine().includes(address) || sources.isPod(address)) return true;
  return sources.podRanges().some((range) => within(range, address));
}

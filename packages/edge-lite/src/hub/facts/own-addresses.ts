import { createIpRanges, isLoopback } from '@selvedge/kit/net';

export interface Sources {
  /** Addresses of this machine's interfaces. */
  readonly machine: () => readonly string[];
  /** The Node's `spec.podCIDRs`. */
  readonly podRanges: () => readonly string[];
  /** Whether a pod of this node has the address. */
  readonly isPod: (address: string) => boolean;
}

/** `::ffff:10.0.0.1` as a socket that listens for both families says it. */
export const plainAddress = (address: string): string => address.replace(/^::ffff:(?=\d+\.)/, '');

/**
 * Whether a connection comes from this node: from its loopback, one of its own addresses or one of its pods. A pod whose
 * address is not reported yet is known by the node's range of pod addresses.
 */
export function isOwnAddress(remoteAddress: string, sources: Sources): boolean {
  const address = plainAddress(remoteAddress);
  if (isLoopback(address)) return true;
  if (sources.machine().includes(address) || sources.isPod(address)) return true;
  return createIpRanges(sources.podRanges())(address);
}

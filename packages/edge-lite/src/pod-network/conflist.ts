import { isIPv6 } from 'node:net';

export interface ConflistOptions {
  /** The bridge of the pods, made by the plugin. */
  readonly bridge: string;
  /** `Node.spec.podCIDRs`: one range, or one of each family. */
  readonly ranges: readonly string[];
  /** The folder in which host-local remembers which address is whose. */
  readonly addresses: string;
}

const isOfIPv6 = (range: string): boolean => isIPv6(range.split('/')[0] ?? '');

/**
 * A CNI configuration for pods on a bridge, with addresses of the node's own ranges, masqueraded on their way out: nobody
 * else on the LAN has a route to them. Source: CNI specification 1.0, plugins `bridge`, `host-local` and `portmap`.
 */
export function renderConflist({ bridge, ranges, addresses }: ConflistOptions): string {
  const pods = {
    type: 'bridge',
    bridge,
    isGateway: true,
    // A node that was deleted and joins again has another range, and its old bridge.
    forceAddress: true,
    hairpinMode: true,
    ipMasq: true,
    ipam: {
      type: 'host-local',
      dataDir: addresses,
      ranges: ranges.map((subnet) => [{ subnet }]),
      routes: ranges.map((range) => ({ dst: isOfIPv6(range) ? '::/0' : '0.0.0.0/0' })),
    },
  };
  const ports = { type: 'portmap', capabilities: { portMappings: true } };
  return `${JSON.stringify({ cniVersion: '1.0.0', name: 'selvedge', plugins: [pods, ports] }, undefined, 2)}\n`;
}

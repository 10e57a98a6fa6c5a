import { join } from 'node:path';
import type { BedDescription, NodeDescription } from '../description.ts';
import { nodeAddress } from '../network/spec.ts';
import type { NodeFolders } from '../state/folders.ts';

export interface ConflistOptions {
  /** The network's name. */
  readonly name: string;
  /** `Node.spec.podCIDR`. */
  readonly podCidr: string;
  /** Where host-local keeps its addresses. */
  readonly addresses: string;
}

/** A bridge for the node's pods. Source: CNI plugins `bridge`, `host-local`, `portmap`. The node's own rules masquerade. */
export function renderConflist(options: ConflistOptions): string {
  const bridge = {
    type: 'bridge',
    bridge: 'cni0',
    isGateway: true,
    // A node that was deleted and joins again has another range, and its old bridge.
    forceAddress: true,
    hairpinMode: true,
    ipam: {
      type: 'host-local',
      dataDir: options.addresses,
      ranges: [[{ subnet: options.podCidr }]],
      routes: [{ dst: '0.0.0.0/0' }],
    },
  };
  const portmap = { type: 'portmap', capabilities: { portMappings: true } };
  return JSON.stringify(
    { cniVersion: '1.0.0', name: options.name, plugins: [bridge, portmap] },
    undefined,
    2,
  );
}

export function conflistFile(folders: NodeFolders): string {
  return join(folders.cni, '10-pods.conflist');
}

/** A node's range of pod addresses. */
export interface PodRange {
  readonly node: string;
  readonly podCidr: string;
}

/** The lines for ip(8) by which a node, or the cloud, reaches the pods of the other nodes on its own network. Pure. */
export function podRoutes(
  bed: BedDescription,
  node: Pick<NodeDescription, 'name' | 'site'>,
  ranges: readonly PodRange[],
): readonly string[] {
  return bed.nodes
    .filter((other) => other.site === node.site && other.name !== node.name)
    .flatMap((other) =>
      ranges
        .filter((range) => range.node === other.name)
        .map(({ podCidr }) => `route replace ${podCidr} via ${nodeAddress(bed, other).address}`),
    );
}

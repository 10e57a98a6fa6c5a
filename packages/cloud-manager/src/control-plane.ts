import type { ObjectReader } from '@selvedge/kube';
import type { Node } from '@selvedge/kube/types';

const role = 'node-role.kubernetes.io/control-plane';

/** `host:port` without the port; IPv6 without brackets. */
const hostOf = (server: string): string => server.replace(/:\d+$/, '').replace(/^\[|\]$/g, '');

/**
 * Whether a name or address is one of the control plane: the API server's as this program reaches it, or of a Node with
 * the role, which NodeRestriction keeps nodes from taking.
 */
export function createControlPlaneNames(
  server: () => string,
  nodes: ObjectReader<Node>,
): (name: string) => boolean {
  return (name) => {
    if (name === hostOf(server())) return true;
    for (const { metadata, status } of nodes.values()) {
      if (metadata.labels?.[role] === undefined) continue;
      if (status?.addresses?.some(({ address }) => address === name) === true) return true;
    }
    return false;
  };
}

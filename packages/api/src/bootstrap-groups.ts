/** What the groups of bootstrap tokens begin with that say for which nodes they are. */
const prefix = 'system:bootstrappers:selvedge:node:';

/** Who has any bootstrap token. Source: kubernetes.io "Authenticating with Bootstrap Tokens". */
export const bootstrappersGroup = 'system:bootstrappers';

/**
 * The group of a bootstrap token for a machine that becomes a control plane, in `auth-extra-groups` of its Secret. Its kubelet asks the
 * API server beside it for a certificate, where no cloud-manager answers yet (kubeadm from 1.36 on), so nobody asks about its identity.
 */
export const controlPlanesGroup = 'system:bootstrappers:selvedge:control-plane';

/**
 * The group that binds a bootstrap token to a node: in `auth-extra-groups` of the token's Secret. A token with several of them
 * is for several nodes, one with none for any new node. Groups have no dots there and nodes no colons, so `shop.7` is
 * `system:bootstrappers:selvedge:node:shop:7`. Who the token is, groups included, the API server vouches for: nobody has to read
 * Secrets of tokens.
 */
export const bootstrapGroupOf = (node: string): string => `${prefix}${node.replaceAll('.', ':')}`;

/** The nodes that somebody of these groups may join as; undefined: any. */
export function nodesOfBootstrapGroups(groups: readonly string[]): readonly string[] | undefined {
  const bound = groups.filter((group) => group.startsWith(prefix));
  return bound.length === 0
    ? undefined
    : bound.map((group) => group.slice(prefix.length).replaceAll(':', '.'));
}

import { hubRules } from './hub-rules.ts';
import { bindingToGroup, clusterRole } from './role.ts';

const name = 'selvedge:hub';

/** What the hubs of all nodes may do, see `hubRules`. */
export const hubRole = clusterRole(
  name,
  hubRules.map(({ rule }) => rule),
);

/** Every node has a hub: the rights are those of the node's own certificate. */
export const hubRoleBinding = bindingToGroup(name, 'system:nodes');

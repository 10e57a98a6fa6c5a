import {
  managerNamespaceRules,
  managerNodeLeaseRules,
  managerRules,
  managerSystemRules,
} from './manager-rules.ts';
import { accountObjects } from './role.ts';
import { unitAppRules } from './unit-rules.ts';

/** Where cloud-manager runs, and its Leases are, unless it is configured otherwise. */
export const managerNamespace = 'selvedge-system';

/** What is installed for cloud-manager, in the order of applying. */
export const managerObjects: readonly object[] = accountObjects({
  name: 'selvedge:cloud-manager',
  namespace: managerNamespace,
  account: 'cloud-manager',
  rules: managerRules.map(({ rule }) => rule),
  otherRoles: { 'selvedge:unit-apps': unitAppRules.map(({ rule }) => rule) },
  namespaceRules: managerNamespaceRules.map(({ rule }) => rule),
  otherNamespaces: {
    'kube-node-lease': managerNodeLeaseRules.map(({ rule }) => rule),
    'kube-system': managerSystemRules.map(({ rule }) => rule),
  },
});

import { bootstrappersGroup, labels } from '@selvedge/api';
import { clusterInfoAt } from '@selvedge/kube';
import type { ClusterRoleBinding, ConfigMap, Role, RoleBinding } from '@selvedge/kube/types';
import type { ClusterInfo } from './cluster-info.ts';
import { joinGroup } from './token-secret.ts';

const apiGroup = 'rbac.authorization.k8s.io';
const csr = 'system:certificates.k8s.io:certificatesigningrequests';
const managed = { [labels.managedBy]: 'selvedge' };

/** A right that joining needs: a role that every cluster has, for a group. */
export interface JoinRight {
  readonly what: string;
  readonly name: string;
  readonly role: string;
  /** Who gets it; and in which other group all of them are. */
  readonly group: string;
  readonly within?: string;
}

/** Hubs of converted nodes renew what began as a copy of the kubelet's certificate. */
export const renewalRight: JoinRight = {
  what: 'auto-approve node certificate renewals',
  name: 'selvedge:node-autoapprove-rotation',
  role: `${csr}:selfnodeclient`,
  group: 'system:nodes',
};

/** As kubeadm binds them to its own group. Source: kubernetes.io "TLS bootstrapping". */
export const joinRights: readonly JoinRight[] = [
  {
    what: 'let tokens of selvedge request certificates',
    name: 'selvedge:node-bootstrapper',
    role: 'system:node-bootstrapper',
    group: joinGroup,
    within: bootstrappersGroup,
  },
  {
    what: 'auto-approve node certificates requested with tokens of selvedge',
    name: 'selvedge:node-autoapprove-bootstrap',
    role: `${csr}:nodeclient`,
    group: joinGroup,
    within: bootstrappersGroup,
  },
  renewalRight,
];

/** Whether somebody gave the right already. */
export function isGiven(
  { role, group, within }: JoinRight,
  bindings: readonly ClusterRoleBinding[],
): boolean {
  return bindings.some(
    ({ roleRef, subjects = [] }) =>
      roleRef.kind === 'ClusterRole' &&
      roleRef.name === role &&
      subjects.some(({ kind, name }) => kind === 'Group' && (name === group || name === within)),
  );
}

export const bindingOf = ({ name, role, group }: JoinRight): ClusterRoleBinding => ({
  metadata: { name, labels: managed },
  roleRef: { apiGroup, kind: 'ClusterRole', name: role },
  subjects: [{ apiGroup, kind: 'Group', name: group }],
});

export const clusterInfoObject = ({ kubeconfig }: ClusterInfo): ConfigMap => ({
  metadata: { ...clusterInfoAt, labels: managed },
  data: { kubeconfig },
});

const readers = { name: 'selvedge:cluster-info', namespace: clusterInfoAt.namespace, labels: managed };

/** Who knows nothing yet shows no certificate either. */
export const readersRole: Role = {
  metadata: readers,
  rules: [
    { apiGroups: [''], resources: ['configmaps'], resourceNames: [clusterInfoAt.name], verbs: ['get'] },
  ],
};

export const readersBinding: RoleBinding = {
  metadata: readers,
  roleRef: { apiGroup, kind: 'Role', name: readers.name },
  subjects: [{ apiGroup, kind: 'User', name: 'system:anonymous' }],
};

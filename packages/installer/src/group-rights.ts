import type { ClusterRoleBinding } from '@selvedge/kube/types';
import { managed } from './changes/index.ts';

const apiGroup = 'rbac.authorization.k8s.io';
const csr = 'system:certificates.k8s.io:certificatesigningrequests';

/** A role that every cluster has, for a group. */
export interface GroupRight {
  /** What it lets the group do, as plans tell it. */
  readonly what: string;
  /** Of the binding that gives it. */
  readonly name: string;
  readonly role: string;
  /** Who gets it; and in which other group all of them are. */
  readonly group: string;
  readonly within?: string;
}

/** Hubs of converted nodes renew what began as a copy of the kubelet's certificate. */
export const renewalRight: GroupRight = {
  what: 'auto-approve node certificate renewals',
  name: 'selvedge:node-autoapprove-rotation',
  role: `${csr}:selfnodeclient`,
  group: 'system:nodes',
};

/** Whether somebody, by whatever name, gave the right already. */
export function isGiven(
  { role, group, within }: GroupRight,
  bindings: readonly ClusterRoleBinding[],
): boolean {
  return bindings.some(
    ({ roleRef, subjects = [] }) =>
      roleRef.kind === 'ClusterRole' &&
      roleRef.name === role &&
      subjects.some(({ kind, name }) => kind === 'Group' && (name === group || name === within)),
  );
}

/** What gives the right. */
export const bindingOf = ({ name, role, group }: GroupRight): ClusterRoleBinding => ({
  metadata: { name, labels: managed },
  roleRef: { apiGroup, kind: 'ClusterRole', name: role },
  subjects: [{ apiGroup, kind: 'Group', name: group }],
});

import { bootstrappersGroup } from '@selvedge/api';
import { clusterInfoAt } from '@selvedge/kube';
import type { ConfigMap, Role, RoleBinding } from '@selvedge/kube/types';
import { managed } from '../changes/index.ts';
import { type GroupRight, renewalRight } from '../group-rights.ts';
import type { ClusterInfo } from './cluster-info.ts';
import { joinGroup } from './token-secret.ts';

const apiGroup = 'rbac.authorization.k8s.io';

/** As kubeadm binds them to its own group. Source: kubernetes.io "TLS bootstrapping". */
export const joinRights: readonly GroupRight[] = [
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
    role: 'system:certificates.k8s.io:certificatesigningrequests:nodeclient',
    group: joinGroup,
    within: bootstrappersGroup,
  },
  renewalRight,
];

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

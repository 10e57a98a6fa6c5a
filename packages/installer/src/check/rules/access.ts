import { bootstrapGroupOf } from '@selvedge/api';
import type { ClusterRoleBinding } from '@selvedge/kube/types';
import { askFor, notAllowed } from '../../reading/index.ts';
import { isForNewcomers } from '../look/cluster.ts';
import { type Rules, type Told, inCluster } from '../rule.ts';

/** Who has this role gets the certificate that he asks for. Source: kubernetes.io "TLS bootstrapping", "Approval". */
const approvedRole = 'system:certificates.k8s.io:certificatesigningrequests:nodeclient';

const isOpen = ({ roleRef, subjects = [] }: ClusterRoleBinding): boolean =>
  roleRef.name === approvedRole &&
  subjects.some(({ kind, name }) => kind === 'Group' && isForNewcomers(name));

function openBinding({ metadata, subjects = [] }: ClusterRoleBinding): Told {
  const groups = subjects.map(({ name }) => name).filter(isForNewcomers);
  return {
    severity: 'warning',
    where: inCluster,
    what: `ClusterRoleBinding ${metadata.name ?? ''} lets ${groups.join(', ')} obtain a certificate for any node name`,
    why:
      'kube-controller-manager approves and signs such requests automatically: whoever gets hold of one bootstrap token can impersonate any node, ' +
      "existing ones included, and read the Secrets of its pods. cloud-manager's admission webhook closes this: it only admits a name that is unused, or the one that the token is bound to",
    fix:
      'convert the cluster: cloud-manager then guards joins. Until then, list the tokens with kubectl -n kube-system get secrets --field-selector type=bootstrap.kubernetes.io/token, ' +
      `delete those that are not needed, and bind new ones to a node (group ${bootstrapGroupOf('NODE')})`,
  };
}

/** Flags of API servers that we can see, which lack a value of a list. */
const lacks = (flags: Readonly<Record<string, string>>, name: string, value: string): boolean =>
  !(flags[name] ?? '').split(',').includes(value);

export const accessRules: Rules = {
  'rights-missing': ({ cluster: { missingRights } }) =>
    missingRights.length === 0
      ? []
      : [
          {
            severity: 'error',
            where: inCluster,
            what: notAllowed(missingRights),
            why: 'convert creates these objects, and revert deletes them',
            fix: 'use the kubeconfig of a cluster administrator (--kubeconfig, --context)',
          },
        ],
  unreadable: ({ cluster: { unread } }) =>
    unread.map(({ right, why }) => ({
      severity: 'warning' as const,
      where: inCluster,
      what: notAllowed([right]),
      why: `checks that need it were skipped: ${why}`,
      fix: askFor([right]),
    })),
  'csr-any-name': ({ cluster: { bindings, guardsJoining } }) =>
    guardsJoining === false ? bindings.filter(isOpen).map(openBinding) : [],
  'node-renewal-off': ({ cluster: { nodesRenew, cloud } }) =>
    nodesRenew !== false
      ? []
      : [
          {
            severity: cloud.kind === 'none' || cloud.kind === 'unknown' ? 'info' : 'error',
            where: inCluster,
            what: 'no ClusterRoleBinding lets nodes renew their client certificates',
            why: "a hub starts with a copy of its kubelet's certificate and renews it with a CertificateSigningRequest, as kubelets do. If that is not approved, the node is cut off when the certificate expires, within a year with most distributions",
            fix: 'run selvedge convert, which creates the ClusterRoleBinding selvedge:node-autoapprove-rotation; approve pending requests with kubectl get csr and kubectl certificate approve',
          },
        ],
  'node-restriction-off': ({ cluster: { apiServers = [] } }) =>
    apiServers
      .filter(({ flags }) => lacks(flags, 'enable-admission-plugins', 'NodeRestriction'))
      .map(({ node }) => ({
        severity: 'error' as const,
        where: inCluster,
        what: `the API server on ${node} does not enable the admission plugin NodeRestriction`,
        why: "a node could modify other Nodes, and the labels that decide its unit: whoever steals one node's disk controls them all",
        fix: 'add NodeRestriction to --enable-admission-plugins in /etc/kubernetes/manifests/kube-apiserver.yaml',
      })),
  'node-authorizer-off': ({ cluster: { apiServers = [] } }) =>
    apiServers
      .filter(
        ({ flags }) =>
          lacks(flags, 'authorization-mode', 'Node') && flags['authorization-config'] === undefined,
      )
      .map(({ node }) => ({
        severity: 'error' as const,
        where: inCluster,
        what: `the API server on ${node} does not enable the Node authorizer`,
        why: "a hub, which uses its node's certificate, could not read what the node's pods need",
        fix: 'set --authorization-mode=Node,RBAC in /etc/kubernetes/manifests/kube-apiserver.yaml',
      })),
};

import { bootstrapGroupOf } from '@selvedge/api';
import type { ClusterRoleBinding } from '@selvedge/kube/types';
import type { CloudRight } from '../../cloud/index.ts';
import { isForNewcomers } from '../look/cluster.ts';
import { type Rules, type Told, inCluster } from '../rule.ts';

/** Who has this role gets the certificate that he asks for. Source: kubernetes.io "TLS bootstrapping", "Approval". */
const approvedRole = 'system:certificates.k8s.io:certificatesigningrequests:nodeclient';

function nameOf({ group, resource, verb, namespace }: CloudRight): string {
  const full = group === '' ? resource : `${resource}.${group}`;
  return `${verb} ${full}${namespace === undefined ? '' : ` in ${namespace}`}`;
}

const isOpen = ({ roleRef, subjects = [] }: ClusterRoleBinding): boolean =>
  roleRef.name === approvedRole &&
  subjects.some(({ kind, name }) => kind === 'Group' && isForNewcomers(name));

function openBinding({ metadata, subjects = [] }: ClusterRoleBinding): Told {
  const groups = subjects.map(({ name }) => name).filter(isForNewcomers);
  return {
    severity: 'warning',
    where: inCluster,
    what: `ClusterRoleBinding ${metadata.name ?? ''} lets ${groups.join(', ')} take any node name`,
    why:
      'the controller manager signs what they ask for at once: whoever finds one bootstrap token becomes any node, those that are there included, ' +
      "reads the Secrets of its pods and answers for it. cloud-manager's admission ends that: it lets a token have a name that is free, or its own",
    mend:
      'convert: cloud-manager guards joining then. Until that: kubectl -n kube-system get secrets --field-selector type=bootstrap.kubernetes.io/token, ' +
      `delete those that nobody needs, and give new ones a node (group ${bootstrapGroupOf('NODE')})`,
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
            what: `you may not ${missingRights.map(nameOf).join(', ')}`,
            why: 'convert makes these objects, and revert takes them away',
            mend: 'use the kubeconfig of a cluster administrator (--kubeconfig, --context)',
          },
        ],
  unreadable: ({ cluster: { unreadable } }) =>
    unreadable.length === 0
      ? []
      : [
          {
            severity: 'warning',
            where: inCluster,
            what: `you may not read ${unreadable.join(', ')}`,
            why: 'what they hold was not checked',
            mend: 'use the kubeconfig of a cluster administrator (--kubeconfig, --context)',
          },
        ],
  'csr-any-name': ({ cluster: { bindings, guardsJoining } }) =>
    guardsJoining ? [] : bindings.filter(isOpen).map(openBinding),
  'node-restriction-off': ({ cluster: { apiServers } }) =>
    apiServers
      .filter(({ flags }) => lacks(flags, 'enable-admission-plugins', 'NodeRestriction'))
      .map(({ node }) => ({
        severity: 'error' as const,
        where: inCluster,
        what: `the API server on ${node} runs without the admission plugin NodeRestriction`,
        why: "a node could write other nodes, and the labels by which it belongs to its unit: who has one node's disk has them all",
        mend: 'add NodeRestriction to --enable-admission-plugins in /etc/kubernetes/manifests/kube-apiserver.yaml',
      })),
  'node-authorizer-off': ({ cluster: { apiServers } }) =>
    apiServers
      .filter(
        ({ flags }) =>
          lacks(flags, 'authorization-mode', 'Node') && flags['authorization-config'] === undefined,
      )
      .map(({ node }) => ({
        severity: 'error' as const,
        where: inCluster,
        what: `the API server on ${node} runs without the authorization mode Node`,
        why: "a node's certificate would not let its hub read what its pods need",
        mend: '--authorization-mode=Node,RBAC in /etc/kubernetes/manifests/kube-apiserver.yaml',
      })),
};

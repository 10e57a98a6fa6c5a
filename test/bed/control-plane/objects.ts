import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hubRole, hubRoleBinding } from '@selvedge/api';
import { dnsServiceAddress } from '../addresses.ts';

/** A Kubernetes object to be applied. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
  };
  readonly [field: string]: unknown;
}

const rbac = 'rbac.authorization.k8s.io';
const rbacVersion = `${rbac}/v1`;
const bootstrappers = 'system:bootstrappers';

function bindGroup(name: string, role: string, group: string): Manifest {
  return {
    apiVersion: rbacVersion,
    kind: 'ClusterRoleBinding',
    metadata: { name },
    roleRef: { apiGroup: rbac, kind: 'ClusterRole', name: role },
    subjects: [{ apiGroup: rbac, kind: 'Group', name: group }],
  };
}

const approver = 'system:certificates.k8s.io:certificatesigningrequests';

/** How nodes join by token, as kubeadm sets it up. Source: Kubernetes, "TLS bootstrapping". */
const joining: readonly Manifest[] = [
  bindGroup('selvedge:node-bootstrapper', 'system:node-bootstrapper', bootstrappers),
  bindGroup('selvedge:node-autoapprove-bootstrap', `${approver}:nodeclient`, bootstrappers),
  bindGroup('selvedge:node-autoapprove-rotation', `${approver}:selfnodeclient`, 'system:nodes'),
];

/** The ConfigMap that a joining node reads before it trusts anybody; the bootstrapsigner signs it for each token. */
function clusterInfo(server: string, ca: string): readonly Manifest[] {
  const kubeconfig = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      { name: '', cluster: { server, 'certificate-authority-data': Buffer.from(ca).toString('base64') } },
    ],
    contexts: [],
    users: [],
    'current-context': '',
    preferences: {},
  };
  const name = 'kubeadm:bootstrap-signer-clusterinfo';
  const namespace = 'kube-public';
  return [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'cluster-info', namespace },
      data: { kubeconfig: JSON.stringify(kubeconfig) },
    },
    {
      apiVersion: rbacVersion,
      kind: 'Role',
      metadata: { name, namespace },
      rules: [
        { apiGroups: [''], resources: ['configmaps'], resourceNames: ['cluster-info'], verbs: ['get'] },
      ],
    },
    {
      apiVersion: rbacVersion,
      kind: 'RoleBinding',
      metadata: { name, namespace },
      roleRef: { apiGroup: rbac, kind: 'Role', name },
      subjects: [{ apiGroup: rbac, kind: 'User', name: 'system:anonymous' }],
    },
  ];
}

/** The user that CoreDNS's certificate names. */
export const dnsUser = 'system:coredns';

const dnsPorts = [
  { name: 'dns', port: 53, protocol: 'UDP' },
  { name: 'dns-tcp', port: 53, protocol: 'TCP' },
];

/** A Service without a selector, and by hand the slice that leads it to CoreDNS in the cloud's network. */
function dns(cloud: string): readonly Manifest[] {
  const namespace = 'kube-system';
  return [
    {
      apiVersion: rbacVersion,
      kind: 'ClusterRole',
      metadata: { name: dnsUser },
      rules: [
        { apiGroups: [''], resources: ['services', 'pods', 'namespaces'], verbs: ['list', 'watch'] },
        { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['list', 'watch'] },
      ],
    },
    {
      apiVersion: rbacVersion,
      kind: 'ClusterRoleBinding',
      metadata: { name: dnsUser },
      roleRef: { apiGroup: rbac, kind: 'ClusterRole', name: dnsUser },
      subjects: [{ apiGroup: rbac, kind: 'User', name: dnsUser }],
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: {
        name: 'kube-dns',
        namespace,
        labels: { 'k8s-app': 'kube-dns', 'kubernetes.io/name': 'CoreDNS' },
      },
      spec: { clusterIP: dnsServiceAddress, ports: dnsPorts },
    },
    {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: {
        name: 'kube-dns-cloud',
        namespace,
        labels: {
          'kubernetes.io/service-name': 'kube-dns',
          'endpointslice.kubernetes.io/managed-by': 'selvedge-bed',
        },
      },
      addressType: 'IPv4',
      endpoints: [{ addresses: [cloud], conditions: { ready: true } }],
      ports: dnsPorts,
    },
  ];
}

export interface ClusterObjectsOptions {
  /** `https://10.60.0.1:6443`. */
  readonly server: string;
  /** PEM. */
  readonly ca: string;
  /** The address of the cloud, where CoreDNS listens. */
  readonly cloud: string;
}

/** What a cluster made by hand lacks in comparison with one made by kubeadm, and what every hub needs. */
export function clusterObjects(options: ClusterObjectsOptions): readonly Manifest[] {
  return [
    ...joining,
    ...clusterInfo(options.server, options.ca),
    ...dns(options.cloud),
    hubRole,
    hubRoleBinding,
  ];
}

/** CoreDNS on one address, its health on the loopback. Source: CoreDNS, plugin `kubernetes`. */
export function renderCorefile(options: { readonly address: string; readonly kubeconfig: string }): string {
  return `.:53 {
  bind ${options.address}
  errors
  ready 127.0.0.1:8181
  kubernetes cluster.local in-addr.arpa ip6.arpa {
    kubeconfig ${options.kubeconfig}
    pods insecure
    fallthrough in-addr.arpa ip6.arpa
    ttl 30
  }
  cache 30
}
`;
}

const nodeNames = join(import.meta.dirname, '../../../deploy/dns/nodes.selvedge.corefile');

/** The names of kubelets as we ship them, for a CoreDNS on one address. */
export async function renderNodeNames(address: string): Promise<string> {
  const text = await readFile(nodeNames, 'utf8');
  return text.replace('nodes.selvedge {\n', `nodes.selvedge {\n    bind ${address}\n`);
}

import type { NodeFacts } from '../facts/index.ts';
import type { Layout } from '../layouts/index.ts';
import type { CloudStatus } from '../cloud/index.ts';
import type { CheckFacts, CheckedNode, ClusterFacts, SeenMachine } from './facts.ts';

/** A time at which nothing is wrong. */
export const soundNowMs = Date.parse('2026-11-22T04:00:00Z');
const yearMs = 365 * 24 * 60 * 60_000;
const gibibyte = 2 ** 30;

const soundCluster: ClusterFacts = {
  version: 'v1.36.3',
  nowMs: soundNowMs,
  ownAheadMs: 0,
  unread: [],
  missingRights: [],
  apiServers: [
    {
      node: 'control-1',
      flags: {
        'authorization-mode': 'Node,RBAC',
        'enable-admission-plugins': 'NodeRestriction',
        'kubelet-preferred-address-types': 'Hostname,InternalIP',
      },
    },
  ],
  bindings: [],
  nodesRenew: true,
  guardsJoining: true,
  kubeProxyMode: 'nftables',
  dns: { coreDns: true, nodes: ['shop-1'] },
  otherSystems: [],
  ca: undefined,
  budgets: [],
  cloud: { kind: 'none' },
  caughtAddresses: [],
};

/** An installation whose certificate of the tunnel ends then; `complete`: no run of it was interrupted. */
export const installed = (
  notAfterMs: number,
  complete = true,
): Extract<CloudStatus, { kind: 'installed' }> => ({
  kind: 'installed',
  version: '1.0.0',
  mode: 'deployment',
  complete,
  tunnel: { kind: 'known', servers: ['tunnel.example.com:443'], ca: undefined },
  certificate: { names: ['tunnel.example.com'], notAfter: new Date(notAfterMs).toISOString() },
  made: [],
  changed: [],
  machines: [],
  unwired: [],
});

const layout: Layout = {
  kind: 'kubeadm',
  name: 'kubeadm',
  role: 'node',
  obstacles: [],
  converted: false,
  nodeName: 'shop-1',
  kubelet: { unit: 'kubelet.service', kubeconfig: '/etc/kubernetes/kubelet.conf', change: { kind: 'edit' } },
  kubeProxy: { kind: 'daemonset' },
  servers: ['https://10.0.0.1:6443'],
  clusterCa: '',
  identity: [{ path: '/var/lib/kubelet/pki/kubelet-client-current.pem' }],
  runtimeEndpoint: 'unix:///run/containerd/containerd.sock',
  cgroupDriver: 'systemd',
  clusterDomain: 'cluster.local',
};

const file = { mode: 0o644, uid: 0, gid: 0, bytes: 1, sha256: '' } as const;

const soundMachine: NodeFacts = {
  hostname: 'shop-1',
  timeMs: soundNowMs,
  os: { id: 'debian', version: '12', name: 'Debian GNU/Linux 12' },
  arch: 'x86_64',
  kernel: '6.1.0',
  init: 'systemd',
  cgroupVersion: 2,
  memoryBytes: 4 * gibibyte,
  swapBytes: 0,
  disks: [{ path: '/var/lib', availableBytes: 10 * gibibyte }],
  features: { overlay: true, brNetfilter: true, nfTables: true, ipForward: true },
  ports: [{ address: '::', port: 10_250 }],
  addresses: ['10.0.0.7'],
  units: {},
  processes: [],
  files: { '/var/lib/kubelet/config.yaml': { ...file, text: 'rotateCertificates: true\n' } },
  certificates: {
    '/var/lib/kubelet/pki/kubelet-client-current.pem': {
      commonName: 'system:node:shop-1',
      issuer: 'kubernetes',
      notBeforeMs: soundNowMs - yearMs,
      notAfterMs: soundNowMs + yearMs,
    },
  },
  folders: [],
  sockets: ['/run/containerd/containerd.sock'],
  cni: { configs: [], binaries: {} },
  programs: {},
  selvedge: { journal: false, otherAgents: [] },
};

const soundSight: SeenMachine = {
  kind: 'seen',
  facts: soundMachine,
  recognition: { kind: 'known', layout },
  aheadMs: 0,
  reached: [{ target: '10.0.0.1:6443', what: 'API server', kind: 'reached' }],
};

const soundNode: CheckedNode = {
  node: {
    name: 'shop-1',
    uid: 'u1',
    addresses: ['10.0.0.7'],
    labels: {},
    role: 'worker',
    os: 'linux',
    isLite: false,
    isReady: true,
  },
  info: {
    architecture: 'amd64',
    bootID: '',
    containerRuntimeVersion: 'containerd://2.1.4',
    kernelVersion: '6.1.0-40-amd64',
    kubeProxyVersion: '',
    kubeletVersion: 'v1.36.3',
    machineID: '',
    operatingSystem: 'linux',
    osImage: 'Debian GNU/Linux 12',
    systemUUID: '',
  },
  kubeletPort: 10_250,
  leaseRenewedMs: soundNowMs - 4_000,
  barePods: [],
  machine: soundSight,
};

/** Facts of a cluster with which nothing is wrong, but for what is said. */
export const withCluster = (cluster: Partial<ClusterFacts>): CheckFacts => ({
  cluster: { ...soundCluster, ...cluster },
  nodes: [soundNode],
});

export const withNode = (node: Partial<CheckedNode>): CheckFacts => ({
  cluster: soundCluster,
  nodes: [{ ...soundNode, ...node }],
});

export const withMachine = (sight: Partial<SeenMachine>): CheckFacts =>
  withNode({ machine: { ...soundSight, ...sight } });

export const withFacts = (facts: Partial<NodeFacts>): CheckFacts =>
  withMachine({ facts: { ...soundMachine, ...facts } });

export const withLayout = (changes: Partial<Layout>): CheckFacts =>
  withMachine({ recognition: { kind: 'known', layout: { ...layout, ...changes } } });

export const sound: CheckFacts = withCluster({});

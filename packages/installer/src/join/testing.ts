import type { NodeFacts } from '../facts/index.ts';
import type { Sight } from './rule.ts';
import type { RuntimeFacts } from './runtime-facts.ts';
import type { JoinOptions } from './types.ts';

/** Of a Debian that can join, without containers and with all that is needed. */
export const testFacts: NodeFacts = {
  hostname: 'Till-5',
  timeMs: 0,
  os: { id: 'debian', version: '12', name: 'Debian GNU/Linux 12 (bookworm)' },
  arch: 'x86_64',
  kernel: '6.1.0',
  init: 'systemd',
  cgroupVersion: 2,
  memoryBytes: 2 ** 31,
  swapBytes: 0,
  disks: [{ path: '/var/lib', availableBytes: 2 ** 35 }],
  features: { overlay: true, brNetfilter: true, nfTables: true, ipForward: false },
  ports: [{ address: '0.0.0.0', port: 22 }],
  addresses: ['192.168.1.5'],
  units: {},
  processes: [],
  files: {},
  certificates: {},
  folders: [],
  sockets: ['/run/containerd/containerd.sock'],
  cni: { configs: [], binaries: {} },
  programs: {},
  selvedge: { journal: false, otherAgents: [] },
};

export const testRuntime: RuntimeFacts = {
  uid: 0,
  containerd: {
    version: '1.6.20',
    runs: true,
    config: {
      servesCri: true,
      socket: '/run/containerd/containerd.sock',
      sandboxImage: 'registry.k8s.io/pause:3.6',
      cgroupDriver: 'systemd',
      pluginFolders: ['/usr/lib/cni'],
      networkFolder: '/etc/cni/net.d',
    },
    containers: 0,
    images: [],
  },
  plugins: ['bridge', 'host-local', 'loopback', 'portmap', 'vlan'],
  networks: [],
  folders: ['/etc/cni', '/etc/cni/net.d', '/opt/cni'],
  full: [],
  manager: 'apt',
  iptables: true,
  reaches: true,
};

export const testSight: Sight = {
  facts: testFacts,
  runtime: testRuntime,
  cluster: { aheadMs: 0, dns: { servers: ['10.96.0.10'], domain: 'cluster.local' } },
  aheadMs: 0,
  archives: 0,
};

export const testOptions: JoinOptions = {
  server: 'https://203.0.113.9:6443',
  token: 'abcdef.0123456789abcdef',
  caHash: `sha256:${'0a'.repeat(32)}`,
  machine: { name: 'till-5', addresses: [] },
  tunnelServers: [{ host: '203.0.113.9', port: 10_280 }],
};

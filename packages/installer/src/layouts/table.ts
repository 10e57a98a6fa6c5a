import type { NodeFacts } from '../facts/index.ts';
import { places } from '../places.ts';
import { argumentsOf, flagIn, readKubeconfig, stringIn, userOf } from './kubelet-facts.ts';
import { argumentObstacles, rancherConfig } from './rancher-arguments.ts';
import type { KubeProxyLayout, Layout, LayoutChange, LayoutKind } from './types.ts';

/** A way in which Kubernetes lies on machines: how it is told, and where its things are. */
export interface LayoutRow {
  readonly kind: LayoutKind;
  readonly name: string;
  readonly role: Layout['role'];
  /** The unit that runs the kubelet. */
  readonly unit: string;
  /** The first row that says so is it. */
  readonly isIt: (facts: NodeFacts) => boolean;
  readonly kubeconfig: (facts: NodeFacts) => string | undefined;
  readonly change: (facts: NodeFacts) => LayoutChange;
  readonly kubeProxy: (facts: NodeFacts) => KubeProxyLayout;
  /** Lists of the API servers behind a local load balancer, the best first. */
  readonly balancers: readonly string[];
  /** Authorities that sign clients, where they are not those that sign API servers. */
  readonly clientCa?: string;
  /** Files with the kubelet's configuration, what goes before first. */
  readonly configs: (facts: NodeFacts) => readonly string[];
  /** Without anything said about it. */
  readonly runtimeEndpoint: string;
  /** What stands in the way of a change, for people. Default: nothing. */
  readonly obstacles?: (facts: NodeFacts) => readonly string[];
}

const kubelet = { program: 'kubelet', unit: 'kubelet.service' } as const;
const has = (facts: NodeFacts, path: string): boolean => path in facts.files || facts.folders.includes(path);
const isActive = (facts: NodeFacts, unit: string): boolean =>
  ['active', 'activating', 'reloading'].includes(facts.units[unit]?.activeState ?? '');

function proxyUnit(facts: NodeFacts): KubeProxyLayout | undefined {
  const unit = 'kube-proxy.service';
  if (!(unit in facts.units)) return undefined;
  const of = { program: 'kube-proxy', unit };
  const config = flagIn(facts, of, 'config');
  const kubeconfig =
    flagIn(facts, of, 'kubeconfig') ??
    (config === undefined ? undefined : stringIn(facts, config, 'clientConnection', 'kubeconfig'));
  return kubeconfig === undefined ? undefined : withUser(facts, { kind: 'unit', unit, kubeconfig });
}

function withUser<T extends KubeProxyLayout & { readonly kubeconfig: string }>(
  facts: NodeFacts,
  proxy: T,
): T {
  const read = readKubeconfig(facts, proxy.kubeconfig);
  const user = typeof read === 'string' ? undefined : userOf(facts, read);
  return user === undefined ? proxy : { ...proxy, user };
}

/** What runs as a plain kubelet unit: kubeadm's, and those that people made. */
const plain = {
  unit: kubelet.unit,
  kubeconfig: (facts) => flagIn(facts, kubelet, 'kubeconfig'),
  change: () => ({ kind: 'edit' }),
  balancers: [],
  configs: (facts) => [flagIn(facts, kubelet, 'config') ?? '/var/lib/kubelet/config.yaml'],
  runtimeEndpoint: 'unix:///run/containerd/containerd.sock',
} as const satisfies Partial<LayoutRow>;

const isKubeadm = (facts: NodeFacts): boolean =>
  kubelet.unit in facts.units &&
  (has(facts, '/var/lib/kubelet/kubeadm-flags.env') ||
    (facts.units[kubelet.unit]?.dropIns ?? []).some((path) => path.endsWith('kubeadm.conf')));

const hasApiServer = (facts: NodeFacts): boolean =>
  has(facts, '/etc/kubernetes/manifests/kube-apiserver.yaml');

interface Rancher {
  readonly kind: 'k3s' | 'rke2';
  readonly name: string;
  readonly server: string;
  readonly agent: string;
  readonly proxyInPod: boolean;
}

/** k3s, and RKE2, which is k3s with other components. Source: docs.k3s.io "Configuration Options", docs.rke2.io. */
function rancher({ kind, name, server, agent, proxyInPod }: Rancher): readonly LayoutRow[] {
  const folder = `/var/lib/rancher/${kind}/agent`;
  const of = (unit: string): Omit<LayoutRow, 'isIt' | 'name' | 'role'> => ({
    kind,
    unit,
    kubeconfig: () => `${folder}/kubelet.kubeconfig`,
    change: (facts) => ({ kind: 'argument', folder: `${rancherConfig(facts, { kind, unit })}.d` }),
    kubeProxy: (facts) =>
      withUser(facts, { kind: 'argument', kubeconfig: `${folder}/kubeproxy.kubeconfig`, inPod: proxyInPod }),
    balancers: [
      `${folder}/etc/${kind}-api-server-agent-load-balancer.json`,
      `${folder}/etc/${kind}-agent-load-balancer.json`,
    ],
    clientCa: `${folder}/client-ca.crt`,
    configs: () => [`${folder}/etc/kubelet.conf.d/00-${kind}-defaults.conf`],
    runtimeEndpoint: 'unix:///run/k3s/containerd/containerd.sock',
    obstacles: (facts) => argumentObstacles(facts, { kind, unit }),
  });
  const isServer = (facts: NodeFacts): boolean => isActive(facts, server) && !isActive(facts, agent);
  return [
    { ...of(server), name: `${name} server`, role: 'control-plane', isIt: isServer },
    { ...of(agent), name: `${name} agent`, role: 'node', isIt: (facts) => agent in facts.units },
  ];
}

/** One row for each layout. */
export const layoutTable: readonly LayoutRow[] = [
  ...rancher({
    kind: 'rke2',
    name: 'RKE2',
    server: 'rke2-server.service',
    agent: 'rke2-agent.service',
    proxyInPod: true,
  }),
  ...rancher({
    kind: 'k3s',
    name: 'k3s',
    server: 'k3s.service',
    agent: 'k3s-agent.service',
    proxyInPod: false,
  }),
  {
    ...plain,
    kind: 'kubeadm',
    name: 'kubeadm control plane',
    role: 'control-plane',
    isIt: (facts) => isKubeadm(facts) && hasApiServer(facts),
    kubeProxy: () => ({ kind: 'daemonset' }),
  },
  {
    ...plain,
    kind: 'kubeadm',
    name: 'kubeadm',
    role: 'node',
    isIt: isKubeadm,
    kubeProxy: (facts) => proxyUnit(facts) ?? { kind: 'daemonset' },
  },
  {
    ...plain,
    kind: 'units',
    name: 'plain units',
    role: 'node',
    isIt: (facts) => flagIn(facts, kubelet, 'kubeconfig') !== undefined,
    kubeProxy: (facts) =>
      proxyUnit(facts) ??
      (argumentsOf(facts, 'kube-proxy', '').length > 0 ? { kind: 'daemonset' } : { kind: 'none' }),
  },
];

/** Whether the kubelet talks to a hub: to ours, since its authority is. */
export const trustsHub = (kubeconfig: {
  readonly credentials: { readonly certificateAuthority?: unknown };
}): boolean => {
  const { certificateAuthority: ca } = kubeconfig.credentials;
  return typeof ca === 'object' && ca !== null && 'file' in ca && ca.file === places.hubCa;
};

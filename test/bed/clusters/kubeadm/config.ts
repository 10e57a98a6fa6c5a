import { stringify } from 'yaml';
import { apiServerPort, podRange, serviceRange } from '../../addresses.ts';
import { machineFolders } from '../../machine/host.ts';
import { imageRepository, tags } from './versions.ts';

/** What kubeadm's checks find fault with here, and is as it has to be. */
const ignored = {
  // No kernel configuration to read, and cgroups of version 1.
  SystemVerification: true,
  // The host's swap shows in machines.
  Swap: true,
} as const;

export interface NodeIdentity {
  readonly name: string;
  readonly address: string;
}

interface BootstrapToken {
  readonly token: string;
}

/** How several control planes are one. */
export interface Together {
  /** Where any of their API servers is reached: `10.60.0.1:8443`. */
  readonly endpoint: string;
  /** What their certificates are encrypted with on their way to each other. Source: kubeadm, `--certificate-key`. */
  readonly certificateKey: string;
}

interface InitOptions extends BootstrapToken {
  /** Undefined: it is the only one. */
  readonly together?: Together | undefined;
}

const documents = (of: readonly object[]): string => of.map((document) => stringify(document)).join('---\n');

const kubeadm = 'kubeadm.k8s.io/v1beta4';

const registration = ({ name, address }: NodeIdentity): object => ({
  name,
  criSocket: `unix://${machineFolders.runtimeSocket}`,
  kubeletExtraArgs: [{ name: 'node-ip', value: address }],
  ignorePreflightErrors: Object.keys(ignored),
});

/**
 * What this host asks of a kubelet: cgroups of version 1, of which no limit is enforced for pods as a whole; no
 * CAP_SYS_RESOURCE; room on the disk is the host's business.
 */
const kubelet = {
  apiVersion: 'kubelet.config.k8s.io/v1beta1',
  kind: 'KubeletConfiguration',
  failCgroupV1: false,
  cgroupDriver: 'cgroupfs',
  enforceNodeAllocatable: [],
  failSwapOn: false,
  oomScoreAdj: 0,
  imageMinimumGCAge: '24h',
  evictionHard: { 'nodefs.available': '1%', 'imagefs.available': '1%', 'memory.available': '50Mi' },
} as const;

/**
 * Connection tracking is left as it is: its limits are the host's. In its other mode a kube-proxy that is started again leaves no
 * Service behind with Debian's nft 1.0.6.
 */
const kubeProxy = {
  apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
  kind: 'KubeProxyConfiguration',
  mode: 'iptables',
  conntrack: { maxPerCore: 0, min: 0, tcpEstablishedTimeout: '0s', tcpCloseWaitTimeout: '0s' },
} as const;

const localEndpoint = ({ address }: NodeIdentity): object => ({
  advertiseAddress: address,
  bindPort: apiServerPort,
});

const args = (values: Readonly<Record<string, string>>): readonly object[] =>
  Object.entries(values).map(([name, value]) => ({ name, value }));

/** Nothing that outlives the machine is in it. */
const etcdArgs = { 'unsafe-no-fsync': 'true' };
/** On a busy host members would take each other for dead, and elect on and on. */
const patientArgs = { 'heartbeat-interval': '1000', 'election-timeout': '10000' };

/** The file of `kubeadm init --config`. Source: Kubernetes, "kubeadm Configuration (v1beta4)". */
export function initConfig(node: NodeIdentity, { token, together }: InitOptions): string {
  const init = {
    apiVersion: kubeadm,
    kind: 'InitConfiguration',
    bootstrapTokens: [{ token, ttl: '24h0m0s' }],
    localAPIEndpoint: localEndpoint(node),
    nodeRegistration: registration(node),
    ...(together === undefined ? {} : { certificateKey: together.certificateKey }),
  };
  const cluster = {
    apiVersion: kubeadm,
    kind: 'ClusterConfiguration',
    kubernetesVersion: tags.kubernetes,
    imageRepository,
    networking: { podSubnet: podRange, serviceSubnet: serviceRange },
    dns: { imageTag: tags.coredns },
    etcd: {
      local: {
        imageTag: tags.etcd,
        extraArgs: args({ ...etcdArgs, ...(together === undefined ? {} : patientArgs) }),
      },
    },
    ...(together === undefined ? {} : { controlPlaneEndpoint: together.endpoint }),
  };
  return documents([init, cluster, kubelet, kubeProxy]);
}

/** What a machine that joins is told. */
export interface ClusterToJoin extends BootstrapToken {
  readonly server: string;
  readonly caHash: string;
}

interface JoinOptions extends ClusterToJoin {
  /** Of one more control plane; undefined: it is a worker. */
  readonly certificateKey?: string | undefined;
}

/** The file of `kubeadm join --config`. The rest a node learns from the cluster. */
export function joinConfig(
  node: NodeIdentity,
  { token, server, caHash, certificateKey }: JoinOptions,
): string {
  const bootstrapToken = { token, apiServerEndpoint: server, caCertHashes: [caHash] };
  return documents([
    {
      apiVersion: kubeadm,
      kind: 'JoinConfiguration',
      discovery: { bootstrapToken },
      nodeRegistration: registration(node),
      ...(certificateKey === undefined
        ? {}
        : { controlPlane: { localAPIEndpoint: localEndpoint(node), certificateKey } }),
    },
  ]);
}

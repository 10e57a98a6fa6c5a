import { stringify } from 'yaml';
import { podRange } from '../addresses.ts';
import type { KeyPairFiles } from '../pki/pki.ts';
import type { NodeFolders } from '../state/folders.ts';

export interface KubeletConfigOptions {
  readonly folders: NodeFolders;
  /** Absolute within the hierarchies. Two kubelets must not share one: each removes the other's pods. */
  readonly cgroupRoot: string;
  readonly caFile: string;
  readonly serving: KeyPairFiles;
  /** Whom pods ask for names. */
  readonly clusterDns: string;
  /** Default: the kubelet's. */
  readonly leaseSeconds?: number | undefined;
}

/** Source: Kubernetes, KubeletConfiguration v1beta1. cgroup v1 and no CAP_SYS_RESOURCE ask for the first few. */
export function renderKubeletConfig(options: KubeletConfigOptions): string {
  const { folders } = options;
  return stringify({
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    failCgroupV1: false,
    failSwapOn: false,
    oomScoreAdj: 0,
    cgroupDriver: 'cgroupfs',
    cgroupRoot: options.cgroupRoot,
    cgroupsPerQOS: true,
    enforceNodeAllocatable: [],
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: options.caFile },
    },
    authorization: { mode: 'Webhook' },
    clusterDNS: [options.clusterDns],
    clusterDomain: 'cluster.local',
    nodeLeaseDurationSeconds: options.leaseSeconds,
    containerRuntimeEndpoint: `unix://${folders.runtimeSocket}`,
    tlsCertFile: options.serving.certificateFile,
    tlsPrivateKeyFile: options.serving.keyFile,
    resolvConf: folders.resolvConf,
    podLogsDir: folders.podLogs,
    imageMinimumGCAge: '24h',
    evictionHard: { 'nodefs.available': '1%', 'imagefs.available': '1%', 'memory.available': '50Mi' },
  });
}

/** Source: Kubernetes, KubeProxyConfiguration v1alpha1. Connection tracking is left as it is. */
export function renderKubeProxyConfig(options: {
  readonly node: string;
  readonly kubeconfig: string;
}): string {
  return stringify({
    apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
    kind: 'KubeProxyConfiguration',
    mode: 'nftables',
    clientConnection: { kubeconfig: options.kubeconfig },
    clusterCIDR: podRange,
    hostnameOverride: options.node,
    conntrack: { maxPerCore: 0, min: 0, tcpEstablishedTimeout: '0s', tcpCloseWaitTimeout: '0s' },
  });
}

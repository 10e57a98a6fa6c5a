import type { Binary } from './binaries.ts';

/** How binaries of one Go module are built. They end up in one folder. */
export interface GoRecipe {
  /** Names the folder in the cache. */
  readonly name: string;
  /** A folder of `test/bed/go`. */
  readonly module: string;
  /** File name → Go package. */
  readonly packages: Readonly<Record<string, string>>;
  /** File name → the name under which it is asked for, where the two differ. */
  readonly binaries: Partial<Record<Binary, string>>;
  /** Go import paths of string variables → value, for the linker. */
  readonly stamps: Readonly<Record<string, string>>;
  /** Build tags. */
  readonly tags?: readonly string[];
  /** Where `SELVEDGE_KUBE_ASSETS` holds the files, relative to it. */
  readonly assetsFolder: string;
  /** With an empty Go build cache, on two cores. */
  readonly estimateMs: number;
}

/** kubelet and kubectl misbehave without a version. Source: Kubernetes `hack/lib/version.sh`. */
function kubernetesStamps(version: string): Readonly<Record<string, string>> {
  const [major = '', minor = ''] = version.slice(1).split('.');
  const fields = {
    gitVersion: version,
    gitMajor: major,
    gitMinor: minor,
    gitTreeState: 'clean',
    gitCommit: '0000000000000000000000000000000000000000',
    buildDate: '2026-01-01T00:00:00Z',
  };
  const base = Object.entries(fields).map(([name, value]) => [
    `k8s.io/component-base/version.${name}`,
    value,
  ]);
  return { ...Object.fromEntries(base), 'k8s.io/client-go/pkg/version.gitVersion': version };
}

function kubernetes(binary: Binary, seconds: number, path = `cmd/${binary}`): GoRecipe {
  return {
    name: binary,
    module: 'kube',
    packages: { [binary]: `k8s.io/kubernetes/${path}` },
    binaries: { [binary]: binary },
    stamps: kubernetesStamps('v1.36.3'),
    assetsFolder: '',
    estimateMs: seconds * 1_000,
  };
}

/** The control plane of the older version that we stay compatible with. */
function kubernetes135(file: string, binary: Binary, seconds: number): GoRecipe {
  return {
    name: binary,
    module: 'kube-1.35',
    packages: { [file]: `k8s.io/kubernetes/cmd/${file}` },
    binaries: { [binary]: file },
    stamps: kubernetesStamps('v1.35.4'),
    assetsFolder: '1.35',
    estimateMs: seconds * 1_000,
  };
}

/** In the order in which they are built: what most tests wait for comes first. */
export const goRecipes: readonly GoRecipe[] = [
  kubernetes('kube-apiserver', 210),
  {
    name: 'etcd',
    module: 'etcd',
    packages: { etcd: 'go.etcd.io/etcd/server/v3' },
    binaries: { etcd: 'etcd' },
    stamps: {},
    assetsFolder: '',
    estimateMs: 40_000,
  },
  kubernetes('kubectl', 20),
  kubernetes('kube-controller-manager', 70),
  kubernetes('kube-scheduler', 6),
  kubernetes('kubelet', 18),
  kubernetes('kube-proxy', 6),
  // In a module of its own: what it needs besides would have all the others built anew.
  { ...kubernetes('kubeadm', 20), module: 'kubeadm' },
  {
    ...kubernetes('agnhost', 6, 'test/images/agnhost'),
    stamps: { 'main.Version': '2.63.0' },
  },
  {
    ...kubernetes('kube-oracle', 4),
    packages: { 'kube-oracle': './oracle' },
    stamps: {},
  },
  {
    ...kubernetes('kube-informer', 4),
    packages: { 'kube-informer': './informer' },
    stamps: {},
  },
  {
    name: 'coredns',
    module: 'coredns',
    packages: { coredns: '.' },
    binaries: { coredns: 'coredns' },
    stamps: { 'github.com/coredns/coredns/coremain.GitCommit': 'v1.14.7' },
    assetsFolder: '',
    estimateMs: 60_000,
  },
  {
    name: 'helm',
    module: 'helm',
    packages: { helm: 'helm.sh/helm/v4/cmd/helm' },
    binaries: { helm: 'helm' },
    stamps: { 'helm.sh/helm/v4/internal/version.version': 'v4.2.4' },
    assetsFolder: '',
    estimateMs: 50_000,
  },
  {
    name: 'metrics-server',
    module: 'metrics-server',
    packages: { 'metrics-server': 'sigs.k8s.io/metrics-server/cmd/metrics-server' },
    binaries: { 'metrics-server': 'metrics-server' },
    stamps: kubernetesStamps('v0.9.0'),
    assetsFolder: '',
    estimateMs: 120_000,
  },
  {
    name: 'containerd-2.4',
    module: 'containerd',
    packages: {
      containerd: 'github.com/containerd/containerd/v2/cmd/containerd',
      'containerd-shim-runc-v2': 'github.com/containerd/containerd/v2/cmd/containerd-shim-runc-v2',
      ctr: 'github.com/containerd/containerd/v2/cmd/ctr',
    },
    binaries: { 'containerd-2.4': 'containerd', 'ctr-2.4': 'ctr' },
    stamps: {
      'github.com/containerd/containerd/v2/version.Version': 'v2.4.2',
      'github.com/containerd/containerd/v2/version.Revision': '0000000000000000000000000000000000000000',
    },
    tags: ['no_btrfs', 'no_devmapper', 'no_zfs'],
    assetsFolder: 'containerd-2.4',
    estimateMs: 70_000,
  },
  kubernetes135('kube-apiserver', 'kube-apiserver-1.35', 200),
  kubernetes135('kube-controller-manager', 'kube-controller-manager-1.35', 60),
  kubernetes135('kube-scheduler', 'kube-scheduler-1.35', 4),
  {
    name: 'konnectivity',
    module: 'konnectivity',
    packages: {
      'konnectivity-server': 'sigs.k8s.io/apiserver-network-proxy/cmd/server',
      'konnectivity-agent': 'sigs.k8s.io/apiserver-network-proxy/cmd/agent',
    },
    binaries: {
      'konnectivity-server': 'konnectivity-server',
      'konnectivity-agent': 'konnectivity-agent',
    },
    stamps: {},
    assetsFolder: '',
    estimateMs: 60_000,
  },
];

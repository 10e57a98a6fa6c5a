/** Everything that the tests run and that does not come with the machine. */
export const binaries = {
  /** Kubernetes 1.36.3. */
  kubernetes: [
    'kube-apiserver',
    'kube-controller-manager',
    'kube-scheduler',
    'kubelet',
    'kube-proxy',
    'kubectl',
    'kubeadm',
    'agnhost',
  ],
  /** Kubernetes 1.35.4, the control plane only. */
  kubernetes135: ['kube-apiserver-1.35', 'kube-controller-manager-1.35', 'kube-scheduler-1.35'],
  cluster: ['etcd', 'coredns'],
  /** Our own programs around apimachinery, what ours is compared with, and around client-go, what ours must serve. */
  oracle: ['kube-oracle', 'kube-informer'],
  /** Clients that others wrote: helm 4.2.4, metrics-server 0.9.0. */
  clients: ['helm', 'metrics-server'],
  /** containerd 2.4.2 from Go. The shim lies beside the daemon, which looks for it there. */
  containerd24: ['containerd-2.4', 'ctr-2.4'],
  /** Debian's, unpacked and not installed: no service of theirs starts. containerd is 1.6. */
  debian: ['containerd', 'ctr', 'runc', 'docker-registry', 'tinyproxy', 'squid', 'nginx', 'prometheus'],
} as const;

/** Peers that only benches run: built when a bench asks for them, never for the tests. konnectivity 0.34.0. */
export const benchBinaries = ['konnectivity-server', 'konnectivity-agent'] as const;

export type BinaryGroup = keyof typeof binaries;
/** The name of a binary; `-1.35` and `-2.4` tell the versions apart. */
export type Binary = (typeof binaries)[BinaryGroup][number] | (typeof benchBinaries)[number];
/** Absolute paths. */
export type Assets<B extends Binary = Binary> = Readonly<Record<B, string>>;

export const allBinaries: readonly Binary[] = Object.values(binaries).flat();

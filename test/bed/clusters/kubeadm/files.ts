import type { TarEntry } from '@selvedge/hack/image';
import { machineFolders } from '../../machine/host.ts';
import { renderContainerdConfig } from '../../node/containerd.ts';
import { kubeadmRef } from './versions.ts';

/** As Kubernetes' Debian package has it. Source: kubernetes/release, `cmd/krel/templates`. */
const kubeletUnit = `[Unit]
Description=kubelet: The Kubernetes Node Agent
Documentation=https://kubernetes.io/docs/
Wants=network-online.target
After=network-online.target

[Service]
ExecStart=/usr/bin/kubelet
Restart=always
StartLimitInterval=0
RestartSec=10

[Install]
WantedBy=multi-user.target
`;

const kubeadmDropIn = `[Service]
Environment="KUBELET_KUBECONFIG_ARGS=--bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf --kubeconfig=/etc/kubernetes/kubelet.conf"
Environment="KUBELET_CONFIG_ARGS=--config=/var/lib/kubelet/config.yaml"
EnvironmentFile=-/var/lib/kubelet/kubeadm-flags.env
EnvironmentFile=-/etc/default/kubelet
ExecStart=
ExecStart=/usr/bin/kubelet $KUBELET_KUBECONFIG_ARGS $KUBELET_CONFIG_ARGS $KUBELET_KUBEADM_ARGS $KUBELET_EXTRA_ARGS
`;

const containerdConfig = renderContainerdConfig({
  version: '1.6',
  root: machineFolders.runtimeRoot,
  state: machineFolders.runtimeState,
  socket: machineFolders.runtimeSocket,
  runc: '/usr/sbin/runc',
  cniBinaries: '/usr/lib/cni',
  cniConfiguration: machineFolders.cni,
  registries: machineFolders.registries,
  pauseImage: kubeadmRef('pause'),
});

/** Where a program of the host's cache is on a machine. */
type Programs = Readonly<Record<'kubelet' | 'kubeadm' | 'kubectl', string>>;

/** What the packages of Kubernetes and of containerd put on a machine before kubeadm runs. */
export function packageFiles(programs: Programs): readonly TarEntry[] {
  const units = 'usr/lib/systemd/system';
  return [
    ...Object.entries(programs).map(
      ([name, target]) => ({ kind: 'symlink', path: `usr/bin/${name}`, target }) as const,
    ),
    { kind: 'file', path: `${units}/kubelet.service`, content: kubeletUnit },
    { kind: 'directory', path: `${units}/kubelet.service.d` },
    { kind: 'file', path: `${units}/kubelet.service.d/10-kubeadm.conf`, content: kubeadmDropIn },
    { kind: 'file', path: 'etc/containerd/config.toml', content: containerdConfig },
    { kind: 'directory', path: 'etc/kubernetes' },
    // An address that nobody has: CoreDNS wants a server to ask for the names of others.
    { kind: 'file', path: 'etc/resolv.conf', content: 'nameserver 192.0.2.53\n' },
  ];
}

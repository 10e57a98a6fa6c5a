import type { TarEntry } from '@selvedge/hack/image';
import { stringify } from 'yaml';
import { machineFolders } from '../../machine/host.ts';
import { renderContainerdConfig } from '../../node/containerd.ts';
import { imageRefs } from '../../images/index.ts';
import type { KeyPair } from '../../pki/certificate.ts';
import { apiEndpoint } from '../machines.ts';
import { k3sPaths } from './paths.ts';

export interface AgentFilesOptions {
  readonly name: string;
  readonly address: string;
  /** The number of the cluster's network. */
  readonly index: number;
  /** One executable file. */
  readonly program: Uint8Array;
  /** Where the programs that k3s has inside are on the machine. */
  readonly kubelet: string;
  readonly kubeProxy: string;
  /** PEM. */
  readonly ca: string;
  /** By their names in the agent's folder: `client-kubelet`. */
  readonly credentials: Readonly<Record<string, KeyPair>>;
}

/** As k3s' installer writes it. Source: k3s, `install.sh`. */
const unit = `[Unit]
Description=Lightweight Kubernetes
Documentation=https://k3s.io
Wants=network-online.target
After=network-online.target

[Install]
WantedBy=multi-user.target

[Service]
Type=exec
EnvironmentFile=-/etc/default/%N
EnvironmentFile=-/etc/sysconfig/%N
EnvironmentFile=-${k3sPaths.environment}
KillMode=process
Delegate=yes
User=root
LimitNOFILE=1048576
LimitNPROC=infinity
LimitCORE=infinity
TasksMax=infinity
TimeoutStartSec=0
Restart=always
RestartSec=5s
ExecStart=${k3sPaths.program} \\
    agent

`;

/** What this host asks of a kubelet, in a drop-in as k3s lets people have them. See the same of kubeadm. */
const hostKubelet = {
  apiVersion: 'kubelet.config.k8s.io/v1beta1',
  kind: 'KubeletConfiguration',
  failCgroupV1: false,
  enforceNodeAllocatable: [],
  oomScoreAdj: 0,
  imageMinimumGCAge: '24h',
  evictionHard: { 'nodefs.available': '1%', 'imagefs.available': '1%', 'memory.available': '50Mi' },
} as const;

const containerdConfig = renderContainerdConfig({
  version: '1.6',
  root: k3sPaths.runtimeRoot,
  state: k3sPaths.runtimeState,
  socket: k3sPaths.runtimeSocket,
  runc: '/usr/sbin/runc',
  cniBinaries: '/usr/lib/cni',
  cniConfiguration: k3sPaths.cni,
  registries: machineFolders.registries,
  pauseImage: imageRefs.pause,
});

const file = (path: string, content: string | Uint8Array, mode = 0o600): TarEntry => ({
  kind: 'file',
  path: path.slice(1),
  content,
  mode,
});

function credentialFiles({ ca, credentials }: AgentFilesOptions): readonly TarEntry[] {
  const { agent } = k3sPaths;
  const pairs = Object.entries(credentials).flatMap(([name, { certificate, key }]) => [
    file(`${agent}/${name}.crt`, certificate),
    file(`${agent}/${name}.key`, key),
  ]);
  return [file(`${agent}/client-ca.crt`, ca), file(`${agent}/server-ca.crt`, ca), ...pairs];
}

/** What k3s' installer puts on a machine, and what an agent has once it has joined. */
export function agentFiles(options: AgentFilesOptions): readonly TarEntry[] {
  const { name, address, program } = options;
  const server = apiEndpoint(options);
  const servers = { ServerURL: `https://${server}`, ServerAddresses: [server] };
  const played = { K3S_PLAYED_KUBELET: options.kubelet, K3S_PLAYED_KUBE_PROXY: options.kubeProxy };
  const lines = Object.entries(played).map(([variable, value]) => `${variable}=${value}\n`);
  return [
    file(k3sPaths.program, program, 0o755),
    file(k3sPaths.unit, unit, 0o644),
    file(k3sPaths.environment, `K3S_URL='https://${server}'\nK3S_TOKEN='K10made-up::server:up'\n`),
    file('/etc/default/k3s-agent', lines.join(''), 0o644),
    file(k3sPaths.config, stringify({ 'node-name': name, 'node-ip': address })),
    file(k3sPaths.servers, JSON.stringify(servers, undefined, 2)),
    file(`${k3sPaths.kubeletConfigFolder}/50-host.conf`, stringify(hostKubelet)),
    file(k3sPaths.runtimeConfig, containerdConfig),
    ...credentialFiles(options),
  ];
}

import { createHash } from 'node:crypto';
import type { FileFacts, NodeFacts, ProcessFacts, UnitFacts } from '../facts/index.ts';
import { certificates } from './testing-certificates.ts';

function fileOf(text: string): FileFacts {
  const sha256 = createHash('sha256').update(text).digest('hex');
  return { mode: 0o600, uid: 0, gid: 0, bytes: Buffer.byteLength(text), sha256, text };
}

export const unitOf = (text: string, rest: Partial<UnitFacts> = {}): UnitFacts => ({
  activeState: 'active',
  fileState: 'enabled',
  path: '/usr/lib/systemd/system/kubelet.service',
  dropIns: [],
  environmentFiles: [],
  text,
  mainPid: 500,
  ...rest,
});

const processOf = (commandLine: string, pid = 500): ProcessFacts => {
  const argv = commandLine.split(' ');
  return { pid, program: argv[0]?.split('/').at(-1) ?? '', argv };
};

export interface FactsParts {
  readonly units?: NodeFacts['units'];
  readonly processes?: NodeFacts['processes'];
  /** Texts by path. */
  readonly files?: Readonly<Record<string, string>>;
  readonly init?: string;
  readonly otherAgents?: readonly string[];
}

/** A machine with these things, and nothing else of interest. */
export function factsOf({ units = {}, processes = [], files = {}, ...rest }: FactsParts): NodeFacts {
  return {
    hostname: 'Shop-1',
    timeMs: 1_700_000_000_000,
    os: { id: 'debian', version: '12', name: 'Debian GNU/Linux 12 (bookworm)' },
    arch: 'x86_64',
    kernel: '6.1.0-18-amd64',
    init: rest.init ?? 'systemd',
    cgroupVersion: 2,
    memoryBytes: 8 * 2 ** 30,
    swapBytes: 0,
    disks: [],
    features: { overlay: true, brNetfilter: true, nfTables: true, ipForward: true },
    ports: [],
    addresses: ['127.0.0.1', '10.0.0.21'],
    units,
    processes,
    files: Object.fromEntries(Object.entries(files).map(([path, text]) => [path, fileOf(text)])),
    certificates: {},
    folders: [],
    sockets: [],
    cni: { configs: [], binaries: {} },
    programs: {},
    selvedge: { journal: false, otherAgents: rest.otherAgents ?? [] },
  };
}

const caData = Buffer.from(certificates.clusterCa).toString('base64');

/** As `kubeadm join` leaves it. */
export const kubeletConf = `apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: ${caData}
    server: https://10.0.0.10:6443
  name: default-cluster
contexts:
- context:
    cluster: default-cluster
    namespace: default
    user: default-auth
  name: default-context
current-context: default-context
kind: Config
users:
- name: default-auth
  user:
    client-certificate: /var/lib/kubelet/pki/kubelet-client-current.pem
    client-key: /var/lib/kubelet/pki/kubelet-client-current.pem
`;

/** As Kubernetes' packages have it. Source: pkgs.k8s.io, `kubelet` and `kubeadm`. */
const kubeadmUnit = `# /usr/lib/systemd/system/kubelet.service
[Unit]
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

# /usr/lib/systemd/system/kubelet.service.d/10-kubeadm.conf
# Note: This dropin only works with kubeadm and kubelet v1.11+
[Service]
Environment="KUBELET_KUBECONFIG_ARGS=--bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf --kubeconfig=/etc/kubernetes/kubelet.conf"
Environment="KUBELET_CONFIG_ARGS=--config=/var/lib/kubelet/config.yaml"
EnvironmentFile=-/var/lib/kubelet/kubeadm-flags.env
EnvironmentFile=-/etc/default/kubelet
ExecStart=
ExecStart=/usr/bin/kubelet $KUBELET_KUBECONFIG_ARGS $KUBELET_CONFIG_ARGS $KUBELET_KUBEADM_ARGS $KUBELET_EXTRA_ARGS
`;

const kubeletConfig = `apiVersion: kubelet.config.k8s.io/v1beta1
authentication:
  anonymous:
    enabled: false
  webhook:
    enabled: true
  x509:
    clientCAFile: /etc/kubernetes/pki/ca.crt
cgroupDriver: systemd
clusterDNS:
- 10.96.0.10
clusterDomain: cluster.local
containerRuntimeEndpoint: unix:///var/run/containerd/containerd.sock
kind: KubeletConfiguration
rotateCertificates: true
staticPodPath: /etc/kubernetes/manifests
`;

const kubeadmUnits = {
  'kubelet.service': unitOf(kubeadmUnit, {
    dropIns: ['/usr/lib/systemd/system/kubelet.service.d/10-kubeadm.conf'],
    environmentFiles: ['/var/lib/kubelet/kubeadm-flags.env', '/etc/default/kubelet'],
  }),
};

const kubeadmFiles = {
  '/etc/kubernetes/kubelet.conf': kubeletConf,
  '/etc/kubernetes/pki/ca.crt': certificates.clusterCa,
  '/var/lib/kubelet/config.yaml': kubeletConfig,
  '/var/lib/kubelet/kubeadm-flags.env':
    'KUBELET_KUBEADM_ARGS="--pod-infra-container-image=registry.k8s.io/pause:3.10"\n',
  '/var/lib/kubelet/pki/kubelet-client-current.pem': certificates.kubelet,
};

/** A worker that kubeadm made. */
export const kubeadmNode = (parts: FactsParts = {}): NodeFacts =>
  factsOf({
    processes: [
      processOf(
        '/usr/bin/kubelet --bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf --kubeconfig=/etc/kubernetes/kubelet.conf --config=/var/lib/kubelet/config.yaml',
      ),
      processOf(
        '/usr/local/bin/kube-proxy --config=/var/lib/kube-proxy/config.conf --hostname-override=shop-1',
        900,
      ),
    ],
    ...parts,
    units: { ...kubeadmUnits, ...parts.units },
    files: { ...kubeadmFiles, ...parts.files },
  });

const rancherKubeconfig = (kind: string, port: number, name: string): string => `apiVersion: v1
clusters:
- cluster:
    server: https://127.0.0.1:${port}
    certificate-authority: /var/lib/rancher/${kind}/agent/server-ca.crt
  name: local
contexts:
- context:
    cluster: local
    namespace: default
    user: user
  name: Default
current-context: Default
kind: Config
preferences: {}
users:
- name: user
  user:
    client-certificate: /var/lib/rancher/${kind}/agent/${name}.crt
    client-key: /var/lib/rancher/${kind}/agent/${name}.key
`;

const rancherFiles = (kind: string, port: number): Readonly<Record<string, string>> => {
  const folder = `/var/lib/rancher/${kind}/agent`;
  return {
    [`${folder}/kubelet.kubeconfig`]: rancherKubeconfig(kind, port, 'client-kubelet'),
    [`${folder}/kubeproxy.kubeconfig`]: rancherKubeconfig(kind, port, 'client-kube-proxy'),
    [`${folder}/client-kubelet.crt`]: certificates.kubelet,
    [`${folder}/client-kubelet.key`]: '',
    [`${folder}/client-kube-proxy.crt`]: certificates.kubeProxy,
    [`${folder}/client-kube-proxy.key`]: '',
    [`${folder}/client-ca.crt`]: certificates.clientCa,
    [`${folder}/server-ca.crt`]: certificates.clusterCa,
  };
};

/** As k3s' installer writes it. Source: k3s, `install.sh`. */
const k3sUnit = `# /etc/systemd/system/k3s-agent.service
[Unit]
Description=Lightweight Kubernetes
Documentation=https://k3s.io
Wants=network-online.target
After=network-online.target

[Install]
WantedBy=multi-user.target

[Service]
Type=notify
EnvironmentFile=-/etc/default/%N
EnvironmentFile=-/etc/sysconfig/%N
EnvironmentFile=-/etc/systemd/system/k3s-agent.service.env
KillMode=process
Delegate=yes
ExecStart=/usr/local/bin/k3s \\
    agent \\

`;

export const k3sNode = (parts: FactsParts = {}): NodeFacts =>
  factsOf({
    processes: [processOf('/usr/local/bin/k3s agent')],
    ...parts,
    units: { 'k3s-agent.service': unitOf(k3sUnit), ...parts.units },
    files: {
      ...rancherFiles('k3s', 6444),
      '/var/lib/rancher/k3s/agent/etc/k3s-agent-load-balancer.json': `{
  "ServerURL": "https://10.0.0.10:6443",
  "ServerAddresses": [
    "10.0.0.10:6443",
    "10.0.0.11:6443"
  ]
}`,
      '/var/lib/rancher/k3s/agent/etc/kubelet.conf.d/00-k3s-defaults.conf':
        'apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\ncgroupDriver: systemd\nclusterDomain: shops.example\ncontainerRuntimeEndpoint: unix:///run/k3s/containerd/containerd.sock\n',
      ...parts.files,
    },
  });

/** As RKE2's package has it. Source: rke2, `bundle/lib/systemd/system/rke2-agent.service`. */
const rke2Unit = `# /usr/local/lib/systemd/system/rke2-agent.service
[Service]
EnvironmentFile=-/etc/default/rke2-agent
KillMode=process
Delegate=yes
ExecStart=/usr/local/bin/rke2 agent --config /srv/rke2.yaml
`;

export const rke2Node = (parts: FactsParts = {}): NodeFacts =>
  factsOf({
    processes: [processOf('kubelet --kubeconfig=/var/lib/rancher/rke2/agent/kubelet.kubeconfig', 700)],
    ...parts,
    units: {
      'rke2-agent.service': unitOf(rke2Unit),
      'rke2-server.service': unitOf('', { activeState: 'inactive', fileState: 'disabled', mainPid: 0 }),
      ...parts.units,
    },
    files: {
      ...rancherFiles('rke2', 6443),
      '/var/lib/rancher/rke2/agent/etc/rke2-agent-load-balancer.json':
        '{"ServerURL": "https://10.0.0.10:9345", "ServerAddresses": ["10.0.0.10:9345"]}',
      '/var/lib/rancher/rke2/agent/etc/rke2-api-server-agent-load-balancer.json':
        '{"ServerURL": "https://10.0.0.10:6443", "ServerAddresses": ["10.0.0.10:6443", "10.0.0.12:6443"]}',
      ...parts.files,
    },
  });

/** With the certificate in the file, as Kubernetes The Hard Way has it. */
const embedded = `apiVersion: v1
kind: Config
clusters:
- name: hard-way
  cluster:
    certificate-authority-data: ${caData}
    server: https://server.kubernetes.local:6443
users:
- name: system:node:shop-1
  user:
    client-certificate-data: ${Buffer.from(certificates.kubelet).toString('base64')}
    client-key-data: xxxxxxxx
contexts:
- name: default
  context: {cluster: hard-way, user: 'system:node:shop-1'}
current-context: default
`;

export const plainNode = (parts: FactsParts = {}): NodeFacts =>
  factsOf({
    processes: [
      processOf(
        '/usr/local/bin/kubelet --config=/var/lib/kubelet/kubelet-config.yaml --kubeconfig=/var/lib/kubelet/kubeconfig --v=2',
      ),
      processOf('/usr/local/bin/kube-proxy --config=/var/lib/kube-proxy/kube-proxy-config.yaml', 501),
    ],
    ...parts,
    units: {
      'kubelet.service': unitOf(
        '[Service]\nExecStart=/usr/local/bin/kubelet --config=/var/lib/kubelet/kubelet-config.yaml \\\n  --kubeconfig=/var/lib/kubelet/kubeconfig --v=2\n',
      ),
      'kube-proxy.service': unitOf(
        '[Service]\nExecStart=/usr/local/bin/kube-proxy \\\n  --config=/var/lib/kube-proxy/kube-proxy-config.yaml\n',
        { mainPid: 501 },
      ),
      ...parts.units,
    },
    files: {
      '/var/lib/kubelet/kubeconfig': embedded,
      '/var/lib/kubelet/kubelet-config.yaml':
        'kind: KubeletConfiguration\napiVersion: kubelet.config.k8s.io/v1beta1\ncgroupDriver: systemd\ncontainerRuntimeEndpoint: "unix:///var/run/containerd/containerd.sock"\n',
      '/var/lib/kube-proxy/kube-proxy-config.yaml':
        'kind: KubeProxyConfiguration\napiVersion: kubeproxy.config.k8s.io/v1alpha1\nclientConnection:\n  kubeconfig: "/var/lib/kube-proxy/kubeconfig"\nmode: "iptables"\n',
      '/var/lib/kube-proxy/kubeconfig': embedded
        .replaceAll('system:node:shop-1', 'system:kube-proxy')
        .replace(
          /client-certificate-data: .*/,
          `client-certificate-data: ${Buffer.from(certificates.kubeProxy).toString('base64')}`,
        ),
      ...parts.files,
    },
  });

/** Where things of ours are on a node. */
export const places = {
  executable: '/usr/local/bin/edge-lite',
  unit: 'edge-lite.service',
  unitFile: '/etc/systemd/system/edge-lite.service',
  /** What systemd links when the unit is enabled. */
  wants: '/etc/systemd/system/multi-user.target.wants',
  config: '/etc/selvedge/edge-lite.yaml',
  configFolder: '/etc/selvedge',
  state: '/var/lib/selvedge',
  pki: '/var/lib/selvedge/pki',
  clusterCa: '/var/lib/selvedge/pki/ca.crt',
  identity: '/var/lib/selvedge/pki/client.pem',
  hubCa: '/var/lib/selvedge/pki/hub-ca.crt',
  /** Who signs the certificate of tunnel servers, where it is not the cluster's CA. */
  tunnelCa: '/var/lib/selvedge/pki/tunnel-ca.crt',
  kubeletKubeconfig: '/etc/selvedge/kubelet.kubeconfig',
  kubeProxyKubeconfig: '/etc/selvedge/kube-proxy.kubeconfig',
  /** In the folder that k3s and RKE2 read parts of their configuration from. */
  rancherDropIn: '99-selvedge.yaml',
} as const;

/** `modules.hub.address` of edge-lite, as it is without being said. */
export const hubAddress = '169.254.77.1';

/** Where the hub and the API of a kubelet are, unless a config says otherwise. */
export const defaultPorts = { hub: 10_270, kubelet: 10_250 } as const;

/** Where containerd has what runs in pods. */
export const podNamespace = 'k8s.io';

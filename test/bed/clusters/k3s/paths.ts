const agent = '/var/lib/rancher/k3s/agent';

/** Where k3s has things on an agent's machine. Source: k3s, `pkg/agent/config`, `install.sh`. */
export const k3sPaths = {
  program: '/usr/local/bin/k3s',
  unit: '/etc/systemd/system/k3s-agent.service',
  environment: '/etc/systemd/system/k3s-agent.service.env',
  config: '/etc/rancher/k3s/config.yaml',
  configFolder: '/etc/rancher/k3s/config.yaml.d',
  agent,
  servers: `${agent}/etc/k3s-agent-load-balancer.json`,
  kubeletConfigFolder: `${agent}/etc/kubelet.conf.d`,
  cni: `${agent}/etc/cni/net.d`,
  runtimeConfig: `${agent}/etc/containerd/config.toml`,
  runtimeRoot: `${agent}/containerd`,
  runtimeState: '/run/k3s/containerd',
  runtimeSocket: '/run/k3s/containerd/containerd.sock',
} as const;

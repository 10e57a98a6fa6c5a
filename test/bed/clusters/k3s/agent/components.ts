import { k3sPaths } from '../paths.ts';
import { type AgentConfig, componentFlags } from './config.ts';

const { agent } = k3sPaths;

/** The programs that k3s has inside, by their paths on the machine. */
export interface Programs {
  readonly kubelet: string;
  readonly kubeProxy: string;
  readonly containerd: string;
}

const nameOf = (config: AgentConfig): Readonly<Record<string, string>> => {
  const [name] = config['node-name'] ?? [];
  return name === undefined ? {} : { 'hostname-override': name };
};

function kubeletDefaults(config: AgentConfig): Readonly<Record<string, string>> {
  const [address] = config['node-ip'] ?? [];
  return {
    'config-dir': k3sPaths.kubeletConfigFolder,
    kubeconfig: `${agent}/kubelet.kubeconfig`,
    'node-labels': (config['node-label'] ?? []).join(','),
    'read-only-port': '0',
    ...(address === undefined ? {} : { 'node-ip': address }),
    ...nameOf(config),
  };
}

/** Source: k3s, `pkg/daemons/agent`, `kubeProxyArgs`. */
const kubeProxyDefaults = (config: AgentConfig): Readonly<Record<string, string>> => ({
  'cluster-cidr': '10.244.0.0/16',
  'conntrack-max-per-core': '0',
  'conntrack-tcp-timeout-close-wait': '0s',
  'conntrack-tcp-timeout-established': '0s',
  'healthz-bind-address': '127.0.0.1',
  kubeconfig: `${agent}/kubeproxy.kubeconfig`,
  'proxy-mode': 'iptables',
  ...nameOf(config),
});

/** The command lines, the runtime first. Pure. */
export function componentsOf(
  config: AgentConfig,
  programs: Programs,
): Readonly<Record<'containerd' | 'kubelet' | 'kube-proxy', readonly [string, ...string[]]>> {
  return {
    containerd: [
      programs.containerd,
      `--config=${k3sPaths.runtimeConfig}`,
      `--address=${k3sPaths.runtimeSocket}`,
      `--state=${k3sPaths.runtimeState}`,
      `--root=${k3sPaths.runtimeRoot}`,
    ],
    kubelet: [programs.kubelet, ...componentFlags(kubeletDefaults(config), config['kubelet-arg'])],
    'kube-proxy': [
      programs.kubeProxy,
      ...componentFlags(kubeProxyDefaults(config), config['kube-proxy-arg']),
    ],
  };
}

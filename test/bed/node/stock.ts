import { join } from 'node:path';
import { writeKubeconfig } from '../control-plane/control-plane.ts';
import { nodeAddress } from '../network/spec.ts';
import type { AgentDeps, AgentOptions, NodeAgent } from './agent.ts';
import { renderKubeProxyConfig, renderKubeletConfig } from './stock-config.ts';

function labelFlag(labels: Readonly<Record<string, string>>): string[] {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}=${value}`);
  return pairs.length === 0 ? [] : [`--node-labels=${pairs.join(',')}`];
}

/** The stock kubelet with certificates that the bed made. */
export function createKubelet(options: AgentOptions, { host }: AgentDeps): NodeAgent {
  const { bed, node, folders, pki } = options;
  const { address } = nodeAddress(bed, node);
  return {
    daemon: 'kubelet',
    async ensure() {
      const identity = { commonName: `system:node:${node.name}`, organizations: ['system:nodes'] };
      const credentials = await pki.ensure(`node-${node.name}`, { ...identity, usages: ['client'] });
      const serving = await pki.ensure(`kubelet-${node.name}`, {
        ...identity,
        usages: ['server'],
        dnsNames: [node.name],
        addresses: [address],
      });
      const file = join(folders.root, 'kubelet.kubeconfig');
      const kubeconfig = await writeKubeconfig({ bed, pki, file }, identity.commonName, credentials);
      const config = renderKubeletConfig({
        folders,
        cgroupRoot: `/${options.names.nodeCgroup(node.name)}`,
        caFile: pki.caFile.certificateFile,
        serving,
      });
      const configFile = join(folders.root, 'kubelet.yaml');
      await host.writeFile(configFile, config);
      const flags = [
        `--config=${configFile}`,
        `--kubeconfig=${kubeconfig}`,
        `--root-dir=${folders.kubelet}`,
        `--hostname-override=${node.name}`,
        `--node-ip=${address}`,
        ...labelFlag(node.labels),
        '--v=2',
      ];
      return host.ensureDaemon({ name: 'kubelet', argv: [options.assets.kubelet, ...flags], config });
    },
  };
}

/** The stock kube-proxy in nftables mode. */
export function createKubeProxy(options: AgentOptions, { host }: AgentDeps): NodeAgent {
  const { bed, node, folders, pki } = options;
  return {
    daemon: 'kube-proxy',
    async ensure() {
      const user = 'system:kube-proxy';
      const credentials = await pki.ensure('kube-proxy', { commonName: user, usages: ['client'] });
      const file = join(folders.root, 'kube-proxy.kubeconfig');
      const kubeconfig = await writeKubeconfig({ bed, pki, file }, user, credentials);
      const config = renderKubeProxyConfig({ node: node.name, kubeconfig });
      const configFile = join(folders.root, 'kube-proxy.yaml');
      await host.writeFile(configFile, config);
      const argv = [options.assets['kube-proxy'], `--config=${configFile}`] as const;
      return host.ensureDaemon({ name: 'kube-proxy', argv: [...argv], config });
    },
  };
}

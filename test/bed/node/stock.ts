import { join } from 'node:path';
import { dnsServiceAddress } from '../addresses.ts';
import { userKubeconfig } from '../control-plane/control-plane.ts';
import { nodeAddress } from '../network/spec.ts';
import type { AgentDeps, AgentOptions, NodeAgent } from './agent.ts';
import { renderKubeProxyConfig, renderKubeletConfig } from './stock-config.ts';

function labelFlag(labels: Readonly<Record<string, string>>): string[] {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}=${value}`);
  return pairs.length === 0 ? [] : [`--node-labels=${pairs.join(',')}`];
}

/** The stock kubelet with certificates that the bed made. */
export function createKubelet(options: AgentOptions, { host }: AgentDeps): NodeAgent {
  const { bed, node, pki } = options;
  const { folders } = host;
  const { address } = nodeAddress(bed, node);
  const own = (name: string): string => join(folders.root, name);
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
      const files = {
        caFile: own('ca.crt'),
        certificateFile: own('kubelet.crt'),
        keyFile: own('kubelet.key'),
      };
      await host.writeFile(files.caFile, pki.ca.keyPair.certificate);
      await host.writeFile(files.certificateFile, serving.certificate);
      await host.writeFile(files.keyFile, serving.key, 0o600);
      const kubeconfig = userKubeconfig(options, identity.commonName, credentials);
      await host.writeFile(own('kubelet.kubeconfig'), kubeconfig, 0o600);
      const config = renderKubeletConfig({
        folders,
        cgroupRoot: host.cgroupRoot,
        caFile: files.caFile,
        serving: files,
        clusterDns: node.dns ? address : dnsServiceAddress,
        leaseSeconds: node.leaseSeconds,
      });
      await host.writeFile(own('kubelet.yaml'), config);
      const flags = [
        `--config=${own('kubelet.yaml')}`,
        `--kubeconfig=${own('kubelet.kubeconfig')}`,
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
  const { node, pki } = options;
  const own = (name: string): string => join(host.folders.root, name);
  return {
    daemon: 'kube-proxy',
    async ensure() {
      const user = 'system:kube-proxy';
      const credentials = await pki.ensure('kube-proxy', { commonName: user, usages: ['client'] });
      const kubeconfig = own('kube-proxy.kubeconfig');
      await host.writeFile(kubeconfig, userKubeconfig(options, user, credentials), 0o600);
      const config = renderKubeProxyConfig({ node: node.name, kubeconfig });
      await host.writeFile(own('kube-proxy.yaml'), config);
      const argv = [options.assets['kube-proxy'], `--config=${own('kube-proxy.yaml')}`] as const;
      return host.ensureDaemon({ name: 'kube-proxy', argv: [...argv], config });
    },
  };
}

import { join } from 'node:path';
import { userKubeconfig } from '../control-plane/control-plane.ts';
import { dnsUser, renderCorefile } from '../control-plane/objects.ts';
import { nodeAddress } from '../network/spec.ts';
import type { AgentDeps, AgentOptions, NodeAgent } from './agent.ts';

/** CoreDNS on the node's address, which reads the cluster where the node's other programs do. */
export function createNodeDns(options: AgentOptions, { host }: AgentDeps): NodeAgent {
  const { bed, node, pki } = options;
  const own = (name: string): string => join(host.folders.root, name);
  return {
    daemon: 'coredns',
    async ensure() {
      const kubeconfig = own('coredns.kubeconfig');
      const credentials = await pki.ensure('coredns', { commonName: dnsUser, usages: ['client'] });
      await host.writeFile(kubeconfig, userKubeconfig(options, dnsUser, credentials), 0o600);
      const config = renderCorefile({ address: nodeAddress(bed, node).address, kubeconfig });
      await host.writeFile(own('Corefile'), config);
      const argv = [options.assets.coredns, '-conf', own('Corefile')] as const;
      return host.ensureDaemon({ name: 'coredns', argv: [...argv], config });
    },
  };
}

import { X509Certificate, createHash } from 'node:crypto';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { dnsServiceAddress } from '../addresses.ts';
import { serverUrl } from '../control-plane/control-plane.ts';
import { nodeAddress } from '../network/spec.ts';
import type { AgentDeps, AgentOptions, NodeAgent } from './agent.ts';

/** SHA-256 of a certificate's public key, as `kubeadm join --discovery-token-ca-cert-hash` takes it. */
export function publicKeyHash(certificate: string): string {
  const spki = new X509Certificate(certificate).publicKey.export({ type: 'spki', format: 'der' });
  return `sha256:${createHash('sha256').update(spki).digest('hex')}`;
}

/** edge-lite's configuration. Source: docs/reference/edge-lite-config.md. */
function renderConfig(options: AgentOptions, host: AgentDeps['host'], tokenFile: string): string {
  const { bed, node } = options;
  const { folders } = host;
  return stringify({
    apiVersion: 'edge-lite.selvedge.io/v1alpha1',
    kind: 'Config',
    nodeName: node.name,
    root: folders.lite,
    server: {
      urls: [serverUrl(bed)],
      caHash: publicKeyHash(options.pki.ca.keyPair.certificate),
      tokenFile,
    },
    runtime: {
      endpoint: `unix://${folders.runtimeSocket}`,
      cgroupDriver: 'cgroupfs',
      cgroupRoot: host.cgroupRoot,
    },
    node: { ip: nodeAddress(bed, node).address, labels: node.labels },
    modules: { pods: { clusterDNS: [dnsServiceAddress], clusterDomain: 'cluster.local' } },
    log: { level: 'info' },
  });
}

/** edge-lite from its source, which joins with a bootstrap token of its own. */
export function createEdgeLite(
  options: AgentOptions & {
    /** `[node, …/edge-lite/src/main.ts]`. */
    readonly program: readonly [string, ...string[]];
  },
  { host, createToken }: AgentDeps,
): NodeAgent {
  const { folders } = host;
  const tokenFile = join(folders.root, 'bootstrap-token');
  return {
    daemon: 'edge-lite',
    async ensure(signal) {
      if ((await host.readIfThere(tokenFile)) === undefined) {
        const { id, secret } = await createToken(signal);
        await host.writeFile(tokenFile, `${id}.${secret}\n`, 0o600);
      }
      const config = renderConfig(options, host, tokenFile);
      const configFile = join(folders.root, 'edge-lite.yaml');
      await host.writeFile(configFile, config);
      return host.ensureDaemon({
        name: 'edge-lite',
        argv: [...options.program, 'run', '--config', configFile],
        config,
      });
    },
  };
}

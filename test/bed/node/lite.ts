import { X509Certificate, createHash } from 'node:crypto';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { dnsServiceAddress } from '../addresses.ts';
import { serverUrl } from '../control-plane/control-plane.ts';
import { nodeAddress } from '../network/spec.ts';
import type { AgentDeps, AgentOptions, NodeAgent } from './agent.ts';
import { hubModule } from './hub-module.ts';
import { tunnelModule } from './tunnel-module.ts';

/** SHA-256 of a certificate's public key, as `kubeadm join --discovery-token-ca-cert-hash` takes it. */
export function publicKeyHash(certificate: string): string {
  const spki = new X509Certificate(certificate).publicKey.export({ type: 'spki', format: 'der' });
  return `sha256:${createHash('sha256').update(spki).digest('hex')}`;
}

export interface EdgeLiteOptions extends AgentOptions {
  /** `[node, …/edge-lite/src/main.ts]`. */
  readonly program: readonly [string, ...string[]];
}

const credentialsFileOf = ({ folders }: AgentDeps['host']): string => join(folders.root, 'proxy-credentials');

/** edge-lite's configuration with these modules. Source: docs/reference/edge-lite-config.md. */
export function renderEdgeLite(
  options: AgentOptions,
  host: AgentDeps['host'],
  what: { readonly tokenFile?: string; readonly modules: object },
): string {
  const { bed, node } = options;
  const { folders } = host;
  const { tokenFile, modules } = what;
  const { proxy: url, proxyCredentials, via } = node.uplink ?? {};
  const lease = node.leaseSeconds === undefined ? {} : { leaseDurationSeconds: node.leaseSeconds };
  const credentialsFile = proxyCredentials === undefined ? {} : { credentialsFile: credentialsFileOf(host) };
  return stringify({
    apiVersion: 'edge-lite.selvedge.io/v1alpha1',
    kind: 'Config',
    nodeName: node.name,
    root: folders.lite,
    server: {
      urls: [serverUrl(bed)],
      caHash: publicKeyHash(options.pki.ca.keyPair.certificate),
      ...(tokenFile === undefined ? {} : { tokenFile }),
      ...(url === undefined ? {} : { proxy: { url, ...credentialsFile } }),
      ...(via === undefined ? {} : { via }),
    },
    runtime: {
      endpoint: `unix://${folders.runtimeSocket}`,
      cgroupDriver: 'cgroupfs',
      cgroupRoot: host.cgroupRoot,
    },
    node: { ip: nodeAddress(bed, node).address, labels: node.labels, ...lease },
    modules,
    log: { level: 'info' },
  });
}

/** Keeps edge-lite running with this configuration. */
export async function ensureEdgeLite(
  { node, program }: EdgeLiteOptions,
  host: AgentDeps['host'],
  config: string,
): Promise<boolean> {
  const credentials = node.uplink?.proxyCredentials;
  if (credentials !== undefined) await host.writeFile(credentialsFileOf(host), `${credentials}\n`, 0o600);
  const configFile = join(host.folders.root, 'edge-lite.yaml');
  await host.writeFile(configFile, config);
  const argv = [...program, 'run', '--config', configFile] as const;
  return host.ensureDaemon({ name: 'edge-lite', argv: [...argv], config });
}

/** edge-lite from its source, which joins with a bootstrap token of its own. */
export function createEdgeLite(options: EdgeLiteOptions, { host, createToken }: AgentDeps): NodeAgent {
  const tokenFile = join(host.folders.root, 'bootstrap-token');
  const { address } = nodeAddress(options.bed, options.node);
  const clusterDNS = [options.node.dns ? address : dnsServiceAddress];
  return {
    daemon: 'edge-lite',
    async ensure(signal) {
      if ((await host.readIfThere(tokenFile)) === undefined) {
        const { id, secret } = await createToken(signal);
        await host.writeFile(tokenFile, `${id}.${secret}\n`, 0o600);
      }
      const pods = { clusterDNS, clusterDomain: 'cluster.local' };
      const modules = { hub: await hubModule(options, host), pods, ...tunnelModule(options) };
      return ensureEdgeLite(options, host, renderEdgeLite(options, host, { tokenFile, modules }));
    },
  };
}

import { join } from 'node:path';
import { type Clock, SelvedgeError } from '@selvedge/kit';
import { dnsUser } from '../control-plane/objects.ts';
import { userKubeconfig } from '../control-plane/control-plane.ts';
import type { ApiAccess } from '../pki/kubeconfig.ts';
import type { NodeFolders } from '../state/folders.ts';
import { waitFor } from '../wait.ts';
import type { AgentDeps, AgentOptions, NodeAgent } from './agent.ts';
import { type EdgeLiteOptions, ensureEdgeLite, renderEdgeLite } from './lite.ts';

/** Where the hub listens. Source: docs/reference/edge-lite-config.md. */
const hubPort = 10_270;

/** edge-lite's folder of keys and certificates. */
const pkiFolder = ({ lite }: NodeFolders): string => join(lite, 'var/lib/selvedge/pki');

/** The API as the programs of a node with a hub find it. */
export const hubAccess = (folders: NodeFolders): ApiAccess => ({
  server: `https://127.0.0.1:${hubPort}`,
  ca: { file: join(pkiFolder(folders), 'hub-ca.crt') },
});

/** Certificate clients besides the kubelet: name of the certificate, name of the user. */
const clients = { 'kube-proxy': 'system:kube-proxy', coredns: dnsUser } as const;

/** The credentials with which the hub acts for each of its clients. */
async function writeClients(
  options: AgentOptions,
  host: AgentDeps['host'],
): Promise<readonly { readonly name: string; readonly kubeconfig: string }[]> {
  const { bed, pki } = options;
  return Promise.all(
    Object.entries(clients).map(async ([name, user]) => {
      const kubeconfig = join(host.folders.root, `hub-${name}.kubeconfig`);
      const credentials = await pki.ensure(name, { commonName: user, usages: ['client'] });
      await host.writeFile(kubeconfig, userKubeconfig({ bed, pki }, user, credentials), 0o600);
      return { name: user, kubeconfig };
    }),
  );
}

/** An identity of the node that the bed has made, as if edge-lite had joined. What it has renewed since stays. */
async function writeIdentity({ node, pki }: AgentOptions, host: AgentDeps['host']): Promise<void> {
  const pem = join(pkiFolder(host.folders), 'client.pem');
  if ((await host.readIfThere(pem)) !== undefined) return;
  const { certificate, key } = await pki.ensure(`hub-${node.name}`, {
    commonName: `system:node:${node.name}`,
    organizations: ['system:nodes'],
    usages: ['client'],
  });
  await host.writeFile(join(pkiFolder(host.folders), 'ca.crt'), pki.ca.keyPair.certificate);
  await host.writeFile(pem, certificate + key, 0o600);
}

/** The hub of a converted node, edge-lite with nothing else; it is there once programs can be told whom to trust. */
export function createHub(
  options: EdgeLiteOptions,
  { host, clock }: AgentDeps & { readonly clock: Clock },
): NodeAgent {
  const daemon = 'edge-lite';
  const bundle = join(pkiFolder(host.folders), 'hub-ca.crt');
  const ready = async (): Promise<boolean> => {
    const failure = await host.failure(daemon);
    if (failure !== undefined) throw new SelvedgeError(failure, { code: 'Unavailable' });
    return (await host.readIfThere(bundle)) !== undefined;
  };
  return {
    daemon,
    async ensure(signal) {
      await writeIdentity(options, host);
      const hub = { port: hubPort, clients: await writeClients(options, host) };
      const started = await ensureEdgeLite(
        options,
        host,
        renderEdgeLite(options, host, { modules: { hub } }),
      );
      await waitFor(
        { what: `the authority of the hub on ${host.name}`, timeoutMs: 60_000, signal },
        clock,
        ready,
      );
      return started;
    },
  };
}

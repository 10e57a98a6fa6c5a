import { join } from 'node:path';
import { type Clock, SelvedgeError } from '@selvedge/kit';
import type { ApiAccess } from '../pki/kubeconfig.ts';
import type { NodeFolders } from '../state/folders.ts';
import { waitFor } from '../wait.ts';
import type { AgentDeps, AgentOptions, NodeAgent } from './agent.ts';
import { hubModule, hubPort } from './hub-module.ts';
import { type EdgeLiteOptions, ensureEdgeLite, renderEdgeLite } from './lite.ts';
import { tunnelModule } from './tunnel-module.ts';

/** edge-lite's folder of keys and certificates. */
const pkiFolder = ({ lite }: NodeFolders): string => join(lite, 'var/lib/selvedge/pki');

/** The API as the programs of a node with a hub find it. */
export const hubAccess = (folders: NodeFolders): ApiAccess => ({
  server: `https://127.0.0.1:${hubPort}`,
  ca: { file: join(pkiFolder(folders), 'hub-ca.crt') },
});

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
      const hub = await hubModule(options, host);
      const started = await ensureEdgeLite(
        options,
        host,
        renderEdgeLite(options, host, { modules: { hub, ...tunnelModule(options) } }),
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

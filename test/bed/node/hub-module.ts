import { join } from 'node:path';
import { userKubeconfig } from '../control-plane/control-plane.ts';
import { dnsUser } from '../control-plane/objects.ts';
import type { AgentDeps, AgentOptions } from './agent.ts';

/** Where the hub listens. Source: docs/reference/edge-lite-config.md. */
export const hubPort = 10_270;

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

/** edge-lite's `modules.hub`, with the node's other programs as its clients. */
export async function hubModule(options: AgentOptions, host: AgentDeps['host']): Promise<object> {
  return { port: hubPort, clients: await writeClients(options, host) };
}

import { join } from 'node:path';
import type { NodeHost } from '../host/host.ts';

/**
 * How containerd reaches a registry with a CA of its own. Not a `[host]` section: after a 404 of one, containerd asks
 * the server too, without the section's CA. Source: containerd, docs/hosts.md.
 */
export function renderHostsToml(registry: string, caFile: string): string {
  const server = `server = ${JSON.stringify(`https://${registry}`)}`;
  return [server, 'capabilities = ["pull", "resolve"]', `ca = ${JSON.stringify(caFile)}`, ''].join('\n');
}

/** Makes a node's containerd trust the registry's CA. It looks at each pull, so nothing is restarted. */
export async function trustRegistry(
  host: Pick<NodeHost, 'folders' | 'writeFile' | 'exec'>,
  registry: { readonly host: string; readonly ca: string },
  signal?: AbortSignal,
): Promise<void> {
  const folder = join(host.folders.registries, registry.host);
  const caFile = join(folder, 'ca.crt');
  await host.exec(['mkdir', '-p', folder], signal);
  await host.writeFile(caFile, registry.ca);
  await host.writeFile(join(folder, 'hosts.toml'), renderHostsToml(registry.host, caFile));
}

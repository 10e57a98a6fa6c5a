import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { BedContext } from './context.ts';
import { removeCgroup } from './host/cgroups.ts';
import { removeCniResults, removeContainerLogLinks, removeShimSockets } from './host/leftovers.ts';
import { unmountBelow } from './host/mounts.ts';
import { observeNetwork, removeHostLink, removeNamespace } from './network/apply.ts';
import { killProcesses } from './process/sweep.ts';

/**
 * Removes all that bears the bed's name, whether a description says that it exists or not: what a killed `up` or
 * `down` left behind is found by its name.
 */
export async function tearDown(context: BedContext): Promise<void> {
  const { names, folders, clock } = context;
  const namespaces = (await observeNetwork(names.namespacePrefix)).map(({ name }) => name);
  await killProcesses({ namespaces, mark: names.mark(), cgroup: names.cgroup }, clock);
  await unmountBelow(folders.root);
  await removeCgroup(names.cgroup, clock);
  for (const node of await readdir(join(folders.root, 'nodes')).catch(() => [])) {
    await removeShimSockets(folders.node(node).runtimeState);
  }
  await removeCniResults(names.namespacePrefix);
  await removeContainerLogLinks(folders.root);
  for (const namespace of namespaces) await removeNamespace(namespace, context);
  await removeHostLink(names.hostLink);
  await context.store.remove(context.name);
}

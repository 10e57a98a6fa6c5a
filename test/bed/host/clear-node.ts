import { rm } from 'node:fs/promises';
import type { Clock } from '@selvedge/kit';
import type { BedNames } from '../names.ts';
import { removeNamespace } from '../network/apply.ts';
import { killProcesses } from '../process/sweep.ts';
import type { NodeFolders } from '../state/folders.ts';
import { removeCgroup } from './cgroups.ts';
import { removeCniResults, removeContainerLogLinks, removeShimSockets } from './leftovers.ts';
import { unmountBelow } from './mounts.ts';

export interface ClearNodeOptions {
  readonly names: BedNames;
  readonly node: string;
  readonly folders: NodeFolders;
}

/**
 * Takes the power from a node that shares this machine's files: processes, mounts, cgroups, pod addresses and the
 * network namespace are gone, and so is what a disk would not have kept. Nothing happens to what is not there.
 */
export async function clearNode(options: ClearNodeOptions, deps: { readonly clock: Clock }): Promise<void> {
  const { names, node, folders } = options;
  const { clock } = deps;
  const namespace = names.node(node);
  const cgroup = names.nodeCgroup(node);
  await killProcesses({ namespaces: [namespace], mark: names.mark(`node.${node}`), cgroup }, clock);
  await unmountBelow(folders.root);
  await removeCgroup(cgroup, clock);
  await removeShimSockets(folders.runtimeState);
  await rm(folders.runtimeState, { recursive: true, force: true });
  await removeCniResults(`${names.podNetwork(node)}-`);
  await rm(folders.addresses, { recursive: true, force: true });
  await removeContainerLogLinks(folders.podLogs);
  await removeNamespace(namespace, { clock });
}

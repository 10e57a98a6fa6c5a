import { readdir, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Clock } from '@selvedge/kit';
import { readHierarchies, removeCgroup } from '../host/cgroups.ts';
import { unmountBelow } from '../host/mounts.ts';
import { namespaceFolder, removeNamespace } from '../network/apply.ts';
import { killProcesses } from '../process/sweep.ts';

export interface RemoveDeps {
  readonly clock: Clock;
  /** Takes a bed down. */
  readonly removeBed: (name: string) => Promise<void>;
  /** A process that ends its own children itself; theirs are ended here. */
  readonly exceptChildrenOf?: number;
}

const entries = (folder: string): Promise<string[]> => readdir(folder).catch(() => []);

async function cgroupsOf(run: string): Promise<readonly string[]> {
  const folders = (await readHierarchies()).map(({ mountPoint }) => mountPoint);
  const names = (await Promise.all(folders.map(entries))).flat();
  return [...new Set(names.filter((name) => name.startsWith(run)))];
}

/** Removes all that a run has left, its folder last: a removal that was killed is done again. */
export async function removeRun(folder: string, deps: RemoveDeps): Promise<void> {
  const { clock, removeBed, ...exceptions } = deps;
  const run = basename(folder);
  await killProcesses({ namespaces: [], variable: `TMPDIR=${folder}`, ...exceptions }, clock);
  for (const name of await entries(join(folder, 'beds'))) await removeBed(name);
  for (const cgroup of await cgroupsOf(run)) {
    await killProcesses({ namespaces: [], cgroup }, clock);
    await removeCgroup(cgroup, clock);
  }
  for (const name of await entries(namespaceFolder)) {
    if (name.startsWith(run)) await removeNamespace(name, { clock });
  }
  await unmountBelow(folder);
  await rm(folder, { recursive: true, force: true, maxRetries: 3 });
}

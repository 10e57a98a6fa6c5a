import { mkdir, readFile, readdir, rmdir, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Clock, systemCode } from '@selvedge/kit';
import { waitFor } from '../wait.ts';

/** A mounted cgroup hierarchy. */
export interface Hierarchy {
  readonly mountPoint: string;
  readonly version: 1 | 2;
  readonly controllers: readonly string[];
}

const versions = { cgroup: 1, cgroup2: 2 } as const;

/** The hierarchies in the text of `/proc/mounts`. */
export function parseHierarchies(mounts: string): readonly Hierarchy[] {
  return mounts.split('\n').flatMap((line): Hierarchy[] => {
    const [, mountPoint, type, options = ''] = line.split(' ');
    if (mountPoint === undefined || (type !== 'cgroup' && type !== 'cgroup2')) return [];
    return [{ mountPoint, version: versions[type], controllers: options.split(',') }];
  });
}

export async function readHierarchies(): Promise<readonly Hierarchy[]> {
  return parseHierarchies(await readFile('/proc/mounts', 'utf8'));
}

/** A cpuset is empty when it is made; nothing may join it before it has processors and memory. */
async function inheritCpuset(folder: string): Promise<void> {
  for (const file of ['cpuset.cpus', 'cpuset.mems']) {
    await writeFile(join(folder, file), await readFile(join(dirname(folder), file), 'utf8'));
  }
}

/** Makes the cgroup `path` in every hierarchy; on a machine with both versions only in those of version 1. */
export async function createCgroup(path: string): Promise<void> {
  const all = await readHierarchies();
  const first = all.filter((each) => each.version === 1);
  for (const { mountPoint, controllers } of first.length > 0 ? first : all) {
    let folder = mountPoint;
    for (const part of path.split('/')) {
      folder = join(folder, part);
      await mkdir(folder, { recursive: true });
      if (controllers.includes('cpuset')) await inheritCpuset(folder);
    }
  }
}

async function removeTree(folder: string): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  for (const entry of entries) if (entry.isDirectory()) await removeTree(join(folder, entry.name));
  try {
    await rmdir(folder);
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
  }
}

/** Removes the cgroup and all below it, deepest first; waits for processes that were just killed. */
export async function removeCgroup(path: string, clock: Clock): Promise<void> {
  for (const { mountPoint } of await readHierarchies()) {
    const folder = join(mountPoint, path);
    await waitFor(
      { what: `removal of cgroup ${folder}`, timeoutMs: 20_000, everyMs: 20 },
      clock,
      async () => {
        await removeTree(folder);
        return true;
      },
    );
  }
}

/** The hierarchies in which the cgroup is. */
export async function cgroupFolders(path: string): Promise<readonly string[]> {
  const folders = (await readHierarchies()).map(({ mountPoint }) => join(mountPoint, path));
  const there = await Promise.all(
    folders.map((folder) =>
      stat(folder).then(
        () => true,
        () => false,
      ),
    ),
  );
  return folders.filter((_, position) => there[position]);
}

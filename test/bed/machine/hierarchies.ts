import { mkdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { SelvedgeError } from '@selvedge/kit';
import { type Hierarchy, createCgroup, readHierarchies } from '../host/cgroups.ts';

/** How a hierarchy is mounted once more in a machine. */
export interface HierarchyMount {
  readonly type: 'cgroup' | 'cgroup2';
  /** Where it is mounted on the host: `/sys/fs/cgroup/cpu,cpuacct`. */
  readonly folder: string;
  /** The folder's own name: `cpu,cpuacct`. */
  readonly name: string;
  /** `cpu`, `cpuacct`; or `none`, `name=systemd`; nothing for version 2. */
  readonly options: readonly string[];
}

/** The options of a mounted hierarchy of version 1 that tell which one it is; the others are the mount's own. */
const telling = /^(?:[a-z_]+|name=.+)$/;
const mountsOwn = ['rw', 'ro', 'relatime', 'nosuid', 'nodev', 'noexec', 'xattr', 'clone_children'];

function mountOf({ version, mountPoint, controllers }: Hierarchy): HierarchyMount {
  const where = { folder: mountPoint, name: basename(mountPoint) };
  if (version === 2) return { type: 'cgroup2', ...where, options: [] };
  const own = controllers.filter((option) => telling.test(option) && !mountsOwn.includes(option));
  const named = own.some((option) => option.startsWith('name='));
  return { type: 'cgroup', ...where, options: named ? ['none', ...own] : own };
}

/**
 * What a machine mounts below its `/sys/fs/cgroup`. The hierarchy of version 2 beside those of version 1 belongs to it:
 * systemd would mount and use it anyway, and without a cgroup of the machine's own it would use the host's root.
 */
export function hierarchyMounts(hierarchies: readonly Hierarchy[]): readonly HierarchyMount[] {
  const found = hierarchies.filter(({ mountPoint }) => dirname(mountPoint) === '/sys/fs/cgroup').map(mountOf);
  return [...new Map(found.map((each) => [each.folder, each])).values()];
}

/** This host's. Throws `Unsupported` unless systemd can be started in them. */
export async function readHierarchyMounts(): Promise<readonly HierarchyMount[]> {
  const mounts = hierarchyMounts(await readHierarchies());
  if (mounts.some(({ options }) => options.includes('name=systemd'))) return mounts;
  throw new SelvedgeError('machines need cgroup v1 with the hierarchy name=systemd', {
    code: 'Unsupported',
    hint: 'light nodes do not',
  });
}

/** Makes the machine's cgroup in all of them. */
export async function createMachineCgroup(path: string, mounts: readonly HierarchyMount[]): Promise<void> {
  await createCgroup(path);
  for (const { folder } of mounts) await mkdir(join(folder, path), { recursive: true });
}

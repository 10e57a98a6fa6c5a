import { join } from 'node:path';
import type { HierarchyMount } from './hierarchies.ts';
import type { Mount } from './mount-table.ts';

/** The disk of a machine, as folders of the host. */
export interface MachineDisk {
  /** Shared by all machines, never written. */
  readonly base: string;
  /** What the machine changed. Belongs to the kernel while the machine is on. */
  readonly upper: string;
  readonly work: string;
  /** Where its root is mounted, inside its own mount namespace only. */
  readonly root: string;
  /** Plain folders by where they are in the machine: overlays cannot be laid over an overlay. */
  readonly volumes: Readonly<Record<string, string>>;
  /** Folders of the host that the machine may read, by where they are in the machine. */
  readonly programs: Readonly<Record<string, string>>;
}

function binds(
  root: string,
  folders: Readonly<Record<string, string>>,
  options: readonly string[],
): readonly Mount[] {
  return Object.entries(folders).map(([target, source]) => ({
    source,
    target: join(root, target),
    type: 'bind',
    options,
  }));
}

/** The root and all that survives. */
export function diskMounts({ base, upper, work, root, volumes }: MachineDisk): readonly Mount[] {
  const overlay = [`lowerdir=${base}`, `upperdir=${upper}`, `workdir=${work}`];
  return [
    { source: 'overlay', target: root, type: 'overlay', options: overlay },
    ...binds(root, volumes, []),
  ];
}

/** What the host lends. Mounted last: a checkout may lie below a folder that the machine has in memory, as `/tmp`. */
export function programMounts({ root, programs }: MachineDisk): readonly Mount[] {
  return binds(root, programs, ['ro']);
}

/** What is new at every boot. */
export function memoryMounts(root: string): readonly Mount[] {
  const quiet = ['nosuid', 'nodev', 'noexec'];
  return [
    { source: 'proc', target: join(root, 'proc'), type: 'proc', options: quiet },
    { source: 'sysfs', target: join(root, 'sys'), type: 'sysfs', options: quiet },
    { source: 'tmpfs', target: join(root, 'sys/fs/cgroup'), type: 'tmpfs', options: [...quiet, 'mode=755'] },
    { source: 'tmpfs', target: join(root, 'run'), type: 'tmpfs', options: ['nosuid', 'nodev', 'mode=755'] },
    { source: 'tmpfs', target: join(root, 'tmp'), type: 'tmpfs', options: ['nosuid', 'nodev', 'mode=1777'] },
    { source: 'tmpfs', target: join(root, 'dev'), type: 'tmpfs', options: ['nosuid', 'mode=755'] },
    {
      source: 'devpts',
      target: join(root, 'dev/pts'),
      type: 'devpts',
      options: ['newinstance', 'ptmxmode=0666', 'mode=620', 'gid=5'],
    },
    {
      source: 'tmpfs',
      target: join(root, 'dev/shm'),
      type: 'tmpfs',
      options: ['nosuid', 'nodev', 'mode=1777'],
    },
  ];
}

/** Every hierarchy, of which the machine sees what is below its own cgroup. */
export function cgroupMounts(root: string, hierarchies: readonly HierarchyMount[]): readonly Mount[] {
  const folder = join(root, 'sys/fs/cgroup');
  return hierarchies.map(({ type, name, options }) => ({
    source: type,
    target: join(folder, name),
    type,
    options,
  }));
}

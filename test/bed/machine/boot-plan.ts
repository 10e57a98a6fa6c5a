import { dirname, join } from 'node:path';
import type { HierarchyMount } from './hierarchies.ts';
import { type MachineDisk, cgroupMounts, diskMounts, memoryMounts, programMounts } from './machine-mounts.ts';
import { type Mount, mountTable } from './mount-table.ts';

/** One step of what happens in the new namespaces before the machine's own first program. */
export type BootStep =
  /** Joins a cgroup: the folder of one in a hierarchy. */
  | { readonly kind: 'join'; readonly folder: string }
  /** Mounts `table`, in the format of fstab(5), by `argv` and the path of that file. */
  | { readonly kind: 'mount'; readonly argv: readonly string[]; readonly table: string }
  | { readonly kind: 'run'; readonly argv: readonly string[] }
  | { readonly kind: 'file'; readonly path: string; readonly content: string }
  | { readonly kind: 'link'; readonly path: string; readonly target: string };

/** Plain data: what the boot program does, and what it becomes then (an absolute path first). */
export interface BootPlan {
  readonly steps: readonly BootStep[];
  readonly exec: { readonly argv: readonly string[]; readonly env: Readonly<Record<string, string>> };
}

const path = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
/** Nothing of the host's environment reaches a machine. */
const loginEnv = { PATH: path, HOME: '/root', LANG: 'C.UTF-8', TERM: 'xterm' };
const mountAll = ['mount', '--all', '--fstab'] as const;

/** In the machine's `/dev`. */
const deviceLinks = {
  fd: '/proc/self/fd',
  stdin: '/proc/self/fd/0',
  stdout: '/proc/self/fd/1',
  stderr: '/proc/self/fd/2',
  ptmx: 'pts/ptmx',
} as const;

export interface BootOptions {
  readonly disk: MachineDisk;
  /** Relative to each hierarchy. */
  readonly cgroup: string;
  readonly hierarchies: readonly HierarchyMount[];
  /** A UUID, another one at each boot: what tells kubelets and the journal that the machine was restarted. */
  readonly bootId: string;
  /** Devices of the host, `/dev/null` for instance, that the machine has too. */
  readonly devices: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

function joinSteps({
  hierarchies,
  cgroup,
}: Pick<BootOptions, 'hierarchies' | 'cgroup'>): readonly BootStep[] {
  return hierarchies.map(({ folder }) => ({ kind: 'join', folder: join(folder, cgroup) }));
}

/** Copies device files of the host into the machine. */
function deviceSteps(root: string, devices: readonly string[]): readonly BootStep[] {
  const folders = [...new Set(devices.map((device) => dirname(device)))];
  return folders.flatMap((folder): BootStep[] => {
    const inside = devices.filter((device) => dirname(device) === folder);
    return [
      { kind: 'run', argv: ['mkdir', '--parents', join(root, folder)] },
      { kind: 'run', argv: ['cp', '--archive', '--', ...inside, join(root, folder)] },
    ];
  });
}

function linkSteps(root: string): readonly BootStep[] {
  const links = Object.entries(deviceLinks);
  return links.map(([name, target]) => ({ kind: 'link', path: join(root, 'dev', name), target }));
}

/** The boot of a machine, to be carried out in new mount, UTS, IPC and PID namespaces. Pure. */
export function bootPlan(options: BootOptions): BootPlan {
  const { disk, hierarchies, devices } = options;
  const { root } = disk;
  const bootIdFile = join(root, 'run/boot-id');
  const bootId: Mount = {
    source: bootIdFile,
    target: join(root, 'proc/sys/kernel/random/boot_id'),
    type: 'bind',
    options: ['ro'],
  };
  return {
    steps: [
      ...joinSteps(options),
      {
        kind: 'mount',
        argv: mountAll,
        table: mountTable([...diskMounts(disk), ...memoryMounts(root), ...programMounts(disk)]),
      },
      { kind: 'file', path: bootIdFile, content: `${options.bootId}\n` },
      // In a cgroup namespace, whose root the machine's cgroup is: so the machine sees no other.
      {
        kind: 'mount',
        argv: ['unshare', '--cgroup', '--', ...mountAll],
        table: mountTable([...cgroupMounts(root, hierarchies), bootId]),
      },
      ...deviceSteps(root, devices),
      ...linkSteps(root),
      { kind: 'run', argv: ['pivot_root', root, join(root, 'mnt')] },
      { kind: 'run', argv: ['umount', '--lazy', '/mnt'] },
      // Where systemd is no container it does so itself. Units with credentials and runtimes of containers need it.
      { kind: 'run', argv: ['mount', '--make-rshared', '/'] },
    ],
    exec: {
      argv: ['/usr/bin/unshare', '--cgroup', '--', '/lib/systemd/systemd', '--system'],
      // Source: systemd's "The Container Interface".
      env: { ...options.env, PATH: path, container: 'selvedge' },
    },
  };
}

/** A program on the disk of a machine that is off, in a mount namespace of its own. Pure. */
export function offlinePlan(disk: MachineDisk, argv: readonly string[]): BootPlan {
  const dev: Mount = { source: '/dev', target: join(disk.root, 'dev'), type: 'bind' };
  return {
    steps: [
      {
        kind: 'mount',
        argv: mountAll,
        table: mountTable([...diskMounts(disk), ...programMounts(disk), dev]),
      },
    ],
    exec: { argv: ['/usr/sbin/chroot', disk.root, ...argv], env: loginEnv },
  };
}

/** A program in the cgroup of a machine that is on. Pure. */
export function onlinePlan(
  options: Pick<BootOptions, 'hierarchies' | 'cgroup'>,
  argv: readonly string[],
): BootPlan {
  return { steps: joinSteps(options), exec: { argv, env: loginEnv } };
}

import type { Facts } from './types.ts';

/** A line of `/proc/PID/mountinfo`. Source: proc_pid_mountinfo(5). */
export interface MountPoint {
  readonly path: string;
  /** Of the mount: `rw`, `nosuid`. */
  readonly options: readonly string[];
  readonly type: string;
  readonly source: string;
}

const unescape = (field: string): string =>
  field.replaceAll(/\\(\d{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));

function mountPoint(line: string): readonly MountPoint[] {
  const [before = '', after = ''] = line.split(' - ');
  const [, , , , path, options = ''] = before.split(' ');
  const [type, source] = after.split(' ');
  if (path === undefined || type === undefined || source === undefined) return [];
  return [{ path: unescape(path), options: options.split(','), type, source: unescape(source) }];
}

export const parseMountInfo = (text: string): readonly MountPoint[] => text.split('\n').flatMap(mountPoint);

/** File systems of the kernel's and in memory: nothing in them is on a disk. */
const inMemory = new Set([
  'cgroup',
  'cgroup2',
  'devpts',
  'mqueue',
  'nsfs',
  'proc',
  'ramfs',
  'sysfs',
  'tmpfs',
]);

/** Those below the root that are no part of the machine's disk: in memory, or lent by the host, read-only. */
export function foreignMounts(mounts: readonly MountPoint[]): ReadonlySet<string> {
  const foreign = mounts.filter(({ type, options }) => inMemory.has(type) || options.includes('ro'));
  return new Set(foreign.map(({ path }) => path));
}

/** What comes and goes with pods, and with units that have secrets or sessions. */
const passing = [
  /^\/var\/lib\/kubelet\/pods\//,
  /^\/run\/containerd\//,
  /^\/run\/k3s\/containerd\//,
  /^\/run\/netns\//,
  /^\/run\/credentials\//,
  /^\/run\/user\//,
];

/** Two mounts at one path are told apart by their order. */
export function mountFacts(mounts: readonly MountPoint[]): Facts {
  const lasting = mounts.filter(({ path }) => !passing.some((pattern) => pattern.test(path)));
  const facts: Record<string, string> = {};
  for (const { path, type, options } of lasting) {
    const line = `${type} ${options.toSorted().join(',')}`;
    facts[path] = facts[path] === undefined ? line : `${facts[path]}; ${line}`;
  }
  return facts;
}

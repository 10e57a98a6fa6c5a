import { mkdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { SelvedgeError, systemCode } from '@selvedge/kit';

import { readText, writeText } from './files.ts';

/** One tree of cgroups: all of v2, or one or several controllers of v1. */
export interface Hierarchy {
  readonly path: string;
  /** Empty on v2: all that are enabled. */
  readonly controllers: readonly string[];
}

/** Those of v1 that runtimes put containers in. */
const controllersV1 = [
  'cpu',
  'cpuacct',
  'cpuset',
  'memory',
  'devices',
  'freezer',
  'blkio',
  'pids',
  'hugetlb',
  'net_cls',
  'net_prio',
  'perf_event',
  'rdma',
  'misc',
  'systemd',
  // Version 2 beside version 1, without controllers: runc puts containers there too, and leaves the cgroups above them.
  'unified',
];
/** Those of v2 that pods use. */
const controllersV2 = ['cpu', 'cpuset', 'memory', 'hugetlb', 'pids'];

/** A folder that systemd made for a hierarchy that it could not mount, as in a container, holds no such file. */
async function isMounted(path: string): Promise<boolean> {
  return (await readText(join(path, 'cgroup.procs'))) !== undefined;
}

/** The trees of v1; controllers that are mounted together share one. Rejects with `Unavailable` if there are none. */
export async function hierarchiesV1(mount: string): Promise<readonly Hierarchy[]> {
  const byPath = new Map<string, string[]>();
  for (const controller of controllersV1) {
    const path = join(mount, controller);
    if (!(await isMounted(path))) continue;
    const real = await realpath(path);
    byPath.set(real, [...(byPath.get(real) ?? []), controller]);
  }
  if (byPath.size === 0) {
    const hint = 'mount the cgroup hierarchies, or check which version of cgroups the node has';
    throw new SelvedgeError(`no cgroup hierarchy at ${mount}`, { code: 'Unavailable', hint });
  }
  return Array.from(byPath, ([path, controllers]) => ({ path, controllers }));
}

/** The tree of v2. Rejects with `Unavailable` if it is not one. */
export async function hierarchyV2(mount: string): Promise<Hierarchy> {
  if ((await readText(join(mount, 'cgroup.controllers'))) === undefined) {
    const hint = 'check which version of cgroups the node has';
    throw new SelvedgeError(`no cgroup hierarchy at ${mount}`, { code: 'Unavailable', hint });
  }
  return { path: mount, controllers: [] };
}

/** A new cpuset is empty, and nothing runs in an empty one. */
async function inheritCpus(parent: string, child: string): Promise<void> {
  for (const file of ['cpuset.cpus', 'cpuset.mems']) {
    const own = await readText(join(child, file));
    const inherited = await readText(join(parent, file));
    if ((own ?? '') === '' && inherited !== undefined) await writeText(join(child, file), inherited);
  }
}

/** Lets the cgroups in `parent` be limited. */
async function delegate(parent: string): Promise<void> {
  const available = ((await readText(join(parent, 'cgroup.controllers'))) ?? '').split(' ');
  const enabled = ((await readText(join(parent, 'cgroup.subtree_control'))) ?? '').split(' ');
  const missing = controllersV2.filter((name) => available.includes(name) && !enabled.includes(name));
  if (missing.length === 0) return;
  await writeText(join(parent, 'cgroup.subtree_control'), missing.map((name) => `+${name}`).join(' '));
}

/** Makes the cgroup `name` (`/a/b/c`) and those above it; resolves with its path. */
export async function makeCgroup({ path, controllers }: Hierarchy, name: string): Promise<string> {
  let current = path;
  for (const part of name.split('/').filter((each) => each !== '')) {
    if (controllers.length === 0) await delegate(current);
    const next = join(current, part);
    await mkdir(next).catch((error: unknown) => {
      if (systemCode(error) !== 'EEXIST') throw error;
    });
    if (controllers.includes('cpuset')) await inheritCpus(current, next);
    current = next;
  }
  return current;
}

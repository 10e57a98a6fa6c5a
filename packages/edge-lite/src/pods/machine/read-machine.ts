import { access, readFile, readdir } from 'node:fs/promises';
import { totalmem } from 'node:os';
import { join } from 'node:path';

import { parseResolverConfig, type CgroupFacts, type NodeFacts } from '../spec/index.ts';

/** What the machine itself adds to every pod. It does not change while the process runs. */
export type Machine = Pick<
  NodeFacts,
  'resolver' | 'memoryCapacityBytes' | 'hugePageSizes' | 'swapAccounting' | 'thermalThrottlePaths'
> & { readonly cgroupVersion: CgroupFacts['version'] };

export interface MachineOptions {
  /** Default `/etc/resolv.conf`; where it is not there names are left to the cluster's DNS. */
  readonly resolvConf?: string;
  /** Default `/sys`. */
  readonly sys?: string;
}

const isThere = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

/** A size as the hugetlb controller spells it: `2MB`, `1GB`. */
export function hugePageSize(kilobytes: number): string {
  const units = ['KB', 'MB', 'GB', 'TB'];
  let [size, unit] = [kilobytes, 0];
  while (size >= 1024 && unit < units.length - 1) [size, unit] = [size / 1024, unit + 1];
  return `${size}${units[unit]}`;
}

async function hugePageSizes(sys: string): Promise<readonly string[]> {
  const names = await readdir(join(sys, 'kernel/mm/hugepages')).catch(() => []);
  const sizes = names.flatMap((name) => /^hugepages-(\d+)kB$/.exec(name)?.slice(1) ?? []);
  return sizes.map((size) => hugePageSize(Number(size))).toSorted();
}

async function thermalThrottlePaths(sys: string): Promise<readonly string[]> {
  const cpus = join(sys, 'devices/system/cpu');
  const names = (await readdir(cpus).catch(() => [])).filter((name) => /^cpu\d+$/.test(name));
  const paths = names.map((name) => join(cpus, name, 'thermal_throttle'));
  const there = await Promise.all(paths.map(isThere));
  return paths.filter((_, i) => there[i]);
}

/** Reads a few small files and starts no process. */
export async function readMachine(options: MachineOptions = {}): Promise<Machine> {
  const { resolvConf = '/etc/resolv.conf', sys = '/sys' } = options;
  const unified = await isThere(join(sys, 'fs/cgroup/cgroup.controllers'));
  const swapFile = 'fs/cgroup/memory/memory.memsw.limit_in_bytes';
  return {
    resolver: parseResolverConfig(await readFile(resolvConf, 'utf8').catch(() => '')),
    cgroupVersion: unified ? 2 : 1,
    memoryCapacityBytes: totalmem(),
    hugePageSizes: await hugePageSizes(sys),
    swapAccounting: unified || (await isThere(join(sys, swapFile))),
    thermalThrottlePaths: await thermalThrottlePaths(sys),
  };
}

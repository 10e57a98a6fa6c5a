import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { hugePageSize, readMachine } from './read-machine.ts';

let sys = '';
beforeEach(async () => {
  sys = await mkdtemp(join(tmpdir(), 'machine-'));
});
afterEach(() => rm(sys, { recursive: true }));

async function put(path: string, text = ''): Promise<string> {
  const file = join(sys, path);
  await mkdir(join(file, '..'), { recursive: true });
  await writeFile(file, text);
  return file;
}

it('reads a machine with cgroup v1', async () => {
  await put('fs/cgroup/memory/memory.memsw.limit_in_bytes');
  await put('kernel/mm/hugepages/hugepages-2048kB/nr_hugepages');
  await put('kernel/mm/hugepages/hugepages-1048576kB/nr_hugepages');
  await put('devices/system/cpu/cpu0/thermal_throttle/core_throttle_count');
  await put('devices/system/cpu/cpu1/online');
  const resolvConf = await put('resolv.conf', 'nameserver 192.0.2.53\nsearch example.org\n');
  expect(await readMachine({ sys, resolvConf })).toMatchObject({
    resolver: { servers: ['192.0.2.53'], searches: ['example.org'] },
    cgroupVersion: 1,
    hugePageSizes: ['1GB', '2MB'],
    swapAccounting: true,
    thermalThrottlePaths: [join(sys, 'devices/system/cpu/cpu0/thermal_throttle')],
  });
});

it('tells cgroup v2, and does without what is not there', async () => {
  await put('fs/cgroup/cgroup.controllers', 'cpu memory');
  expect(await readMachine({ sys, resolvConf: join(sys, 'absent') })).toMatchObject({
    resolver: { servers: [] },
    cgroupVersion: 2,
    hugePageSizes: [],
    thermalThrottlePaths: [],
  });
});

it('spells sizes as the kernel does', () => {
  expect([64, 2048, 32_768, 1_048_576].map(hugePageSize)).toEqual(['64KB', '2MB', '32MB', '1GB']);
});

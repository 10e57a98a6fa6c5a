import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { silentLogger } from '@selvedge/kit';
import type { Pod, ResourceRequirements } from '@selvedge/kube/types';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { removeTree } from '../../packages/edge-lite/src/pods/cgroups/files.ts';
import {
  type PodCgroups,
  createPodCgroups,
  removeCgroup,
} from '../../packages/edge-lite/src/pods/cgroups/index.ts';
import { containerWith, podWith } from '../../packages/edge-lite/src/pods/testing.ts';
import { runName } from '../bed/run/run.ts';

const never = new AbortController().signal;
const mount = '/sys/fs/cgroup';
const name = `${runName()}.cgroups`;
const full = { cpu: '500m', memory: '64Mi' };

let version: 1 | 2;
let cgroups: PodCgroups;

const asking = (uid: string, resources: ResourceRequirements): Pod =>
  podWith({ containers: [containerWith({ resources })] }, { uid });

/** The test's cgroup in each hierarchy that has it. */
async function places(): Promise<readonly string[]> {
  const folders = version === 2 ? [''] : await readdir(mount);
  const paths = folders.map((folder) => join(mount, folder, name));
  const found = await Promise.all(
    paths.map((path) =>
      access(path).then(
        () => [path],
        () => [],
      ),
    ),
  );
  return found.flat();
}

const read = async (controller: string, path: string): Promise<string> => {
  const hierarchy = version === 2 ? mount : join(mount, controller);
  return (await readFile(join(hierarchy, name, 'kubepods', path), 'utf8')).trim();
};

const v1 = {
  cpu: ['podguaranteed/cpu.shares', '512'],
  quota: ['podguaranteed/cpu.cfs_quota_us', '50000'],
  memory: ['podguaranteed/memory.limit_in_bytes', String(64 * 2 ** 20)],
  burstable: ['burstable/cpu.shares', '256'],
} as const;
const v2 = {
  cpu: ['podguaranteed/cpu.weight', '20'],
  quota: ['podguaranteed/cpu.max', '50000 100000'],
  memory: ['podguaranteed/memory.max', String(64 * 2 ** 20)],
  burstable: ['burstable/cpu.weight', '10'],
} as const;

beforeAll(async () => {
  version = await access(join(mount, 'cgroup.controllers')).then(
    () => 2,
    () => 1,
  );
  cgroups = createPodCgroups(
    { driver: 'cgroupfs', root: `/${name}`, version, hugePageSizes: [] },
    { log: silentLogger, removeCgroup, kill: (pid) => process.kill(pid, 'SIGKILL') },
  );
  await cgroups.start(never);
});

afterAll(async () => {
  for (const path of await places()) await removeTree(path, removeCgroup);
  expect(await places()).toEqual([]);
});

describe('cgroups of the kernel', () => {
  it('take the limits of pods', async () => {
    const expected = version === 2 ? v2 : v1;
    await cgroups.ensure(asking('guaranteed', { requests: full, limits: full }), never);
    await cgroups.ensure(asking('burstable', { requests: { cpu: '250m' } }), never);
    await cgroups.ensure(asking('burstable', { requests: { cpu: '250m' } }), never);
    expect(await read('cpu', expected.cpu[0])).toBe(expected.cpu[1]);
    expect(await read('cpu', expected.quota[0])).toBe(expected.quota[1]);
    expect(await read('memory', expected.memory[0])).toBe(expected.memory[1]);
    expect(await read('cpu', expected.burstable[0])).toBe(expected.burstable[1]);
    expect((await cgroups.uids(never)).toSorted()).toEqual(['burstable', 'guaranteed']);
  });

  it('go with their pod, which may leave no process behind', async () => {
    await cgroups.ensure(asking('busy', {}), never);
    const guest = spawn('sleep', ['60'], { stdio: 'ignore' });
    await once(guest, 'spawn');
    const gone = once(guest, 'exit');
    for (const path of await places()) {
      await writeFile(join(path, 'kubepods/besteffort/podbusy/cgroup.procs'), String(guest.pid));
    }
    await expect(cgroups.remove('busy', never)).rejects.toMatchObject({ code: 'Unavailable' });
    await gone;
    for (const uid of ['busy', 'guaranteed', 'burstable']) await cgroups.remove(uid, never);
    expect(await cgroups.uids(never)).toEqual([]);
  });
});

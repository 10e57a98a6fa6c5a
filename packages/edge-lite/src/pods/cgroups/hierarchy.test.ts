import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { hierarchiesV1 } from './hierarchy.ts';

let mount: string;

beforeEach(async () => {
  mount = await mkdtemp(join(tmpdir(), 'selvedge-cgroup-'));
});
afterEach(() => rm(mount, { recursive: true }));

async function mounted(name: string): Promise<void> {
  await mkdir(join(mount, name));
  await writeFile(join(mount, name, 'cgroup.procs'), '');
}

describe('the hierarchies of version 1', () => {
  it('are those that are mounted, shared ones once', async () => {
    await mounted('memory');
    await mounted('cpu,cpuacct');
    for (const name of ['cpu', 'cpuacct']) await symlink('cpu,cpuacct', join(mount, name));
    expect(await hierarchiesV1(mount)).toEqual([
      { path: join(mount, 'cpu,cpuacct'), controllers: ['cpu', 'cpuacct'] },
      { path: join(mount, 'memory'), controllers: ['memory'] },
    ]);
  });

  it('leave out a folder in which nothing could be mounted', async () => {
    await mounted('pids');
    await mkdir(join(mount, 'hugetlb'));
    expect((await hierarchiesV1(mount)).map(({ controllers }) => controllers)).toEqual([['pids']]);
  });

  it('include version 2 where it is mounted beside them: the runtime uses it too', async () => {
    await mounted('memory');
    await mounted('unified');
    const paths = (await hierarchiesV1(mount)).map(({ path }) => path);
    expect(paths).toEqual([join(mount, 'memory'), join(mount, 'unified')]);
  });

  it('are missed where there are none', async () => {
    await expect(hierarchiesV1(mount)).rejects.toMatchObject({ code: 'Unavailable' });
  });
});

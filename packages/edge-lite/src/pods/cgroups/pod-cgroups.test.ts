import { mkdir, mkdtemp, readFile, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { recordingLogger } from '@selvedge/kit/testing';
import type { Pod, ResourceRequirements } from '@selvedge/kube/types';
import { describe, expect, it } from 'vitest';

import { containerWith, podWith } from '../testing.ts';
import { createPodCgroups } from './pod-cgroups.ts';

const never = new AbortController().signal;
const full = { cpu: '500m', memory: '64Mi' };

const asking = (uid: string, resources: ResourceRequirements): Pod =>
  podWith({ containers: [containerWith({ resources })] }, { uid });
const guaranteed = asking('g', { requests: full, limits: full });
const burstable = asking('b', { requests: { cpu: '250m' } });

/** A tree of plain folders in the shape of the kernel's. */
async function fixture(version: 1 | 2, prepare: (mount: string) => Promise<void>, root = '/') {
  const mount = await mkdtemp(join(tmpdir(), 'cgroups-'));
  await prepare(mount);
  const killed: number[] = [];
  const log = recordingLogger();
  const cgroups = createPodCgroups(
    { driver: 'cgroupfs', root, version, mount, hugePageSizes: ['2MB'] },
    {
      log,
      kill: (pid) => killed.push(pid),
      // The kernel lets a cgroup go with its files, unless a process is in it.
      removeCgroup: async (path) => {
        const processes = await readFile(join(path, 'cgroup.procs'), 'utf8').catch(() => '');
        if (processes !== '') throw Object.assign(new Error('busy'), { code: 'EBUSY' });
        await rm(path, { recursive: true });
      },
    },
  );
  return {
    cgroups,
    killed,
    log,
    at: (path: string) => join(mount, path),
    text: (path: string) => readFile(join(mount, path), 'utf8'),
    folders: async (path: string) =>
      (await readdir(join(mount, path), { withFileTypes: true }))
        .filter((one) => one.isDirectory())
        .map(({ name }) => name),
    [Symbol.asyncDispose]: () => rm(mount, { recursive: true }),
  };
}

const v1 = async (mount: string): Promise<void> => {
  for (const name of ['cpu,cpuacct', 'memory', 'cpuset', 'hugetlb', 'systemd']) {
    await mkdir(join(mount, name));
    await writeFile(join(mount, name, 'cgroup.procs'), '');
  }
  for (const name of ['cpu', 'cpuacct']) await symlink('cpu,cpuacct', join(mount, name));
  await writeFile(join(mount, 'cpuset/cpuset.cpus'), '0-1\n');
  await writeFile(join(mount, 'cpuset/cpuset.mems'), '0\n');
};

const v2 = async (mount: string): Promise<void> => {
  await writeFile(join(mount, 'cgroup.controllers'), 'cpuset cpu io memory pids\n');
  await writeFile(join(mount, 'cgroup.subtree_control'), 'cpu\n');
};

describe('cgroups of version 1', () => {
  it('are made once in each hierarchy, for each class', async () => {
    await using tree = await fixture(1, v1, '/site/one');
    await tree.cgroups.start(never);
    for (const hierarchy of ['cpu,cpuacct', 'memory', 'cpuset', 'systemd']) {
      expect(await tree.folders(`${hierarchy}/site/one/kubepods`)).toEqual(['besteffort', 'burstable']);
    }
    expect(await tree.text('cpu/site/one/kubepods/besteffort/cpu.shares')).toBe('2');
    expect(await tree.text('cpuset/site/one/kubepods/burstable/cpuset.cpus')).toBe('0-1');
  });

  it('limit a guaranteed pod as a whole', async () => {
    await using tree = await fixture(1, v1);
    await tree.cgroups.start(never);
    await tree.cgroups.ensure(guaranteed, never);
    expect(await tree.text('cpu/kubepods/podg/cpu.shares')).toBe('512');
    expect(await tree.text('cpu/kubepods/podg/cpu.cfs_quota_us')).toBe('50000');
    expect(await tree.text('cpu/kubepods/podg/cpu.cfs_period_us')).toBe('100000');
    expect(await tree.text('memory/kubepods/podg/memory.limit_in_bytes')).toBe(String(64 * 2 ** 20));
    expect(await tree.text('hugetlb/kubepods/podg/hugetlb.2MB.limit_in_bytes')).toBe('0');
  });

  it('give burstable pods together what they asked for', async () => {
    await using tree = await fixture(1, v1);
    await tree.cgroups.start(never);
    await tree.cgroups.ensure(burstable, never);
    await tree.cgroups.ensure(asking('c', { requests: { cpu: '750m' } }), never);
    expect(await tree.folders('memory/kubepods/burstable')).toEqual(['podb', 'podc']);
    expect(await tree.text('cpu/kubepods/burstable/cpu.shares')).toBe('1024');
    await tree.cgroups.remove('c', never);
    expect(await tree.text('cpu/kubepods/burstable/cpu.shares')).toBe('256');
  });

  it('are told apart by uid, and leave nothing when they are removed', async () => {
    await using tree = await fixture(1, v1);
    await tree.cgroups.start(never);
    await tree.cgroups.ensure(guaranteed, never);
    await tree.cgroups.ensure(burstable, never);
    await mkdir(tree.at('memory/kubepods/podg/container'));
    expect((await tree.cgroups.uids(never)).toSorted()).toEqual(['b', 'g']);
    await tree.cgroups.remove('g', never);
    await tree.cgroups.remove('g', never);
    expect(await tree.cgroups.uids(never)).toEqual(['b']);
  });

  it('end what is left in them', async () => {
    await using tree = await fixture(1, v1);
    await tree.cgroups.start(never);
    await tree.cgroups.ensure(burstable, never);
    await mkdir(tree.at('memory/kubepods/burstable/podb/left'));
    await writeFile(tree.at('memory/kubepods/burstable/podb/left/cgroup.procs'), '41\n0\n42\n');
    await expect(tree.cgroups.remove('b', never)).rejects.toMatchObject({ code: 'Unavailable' });
    expect(tree.killed).toEqual([41, 42]);
  });

  it('let a pod run whose limit the kernel refuses, and say so', async () => {
    await using tree = await fixture(1, v1);
    await tree.cgroups.start(never);
    await mkdir(tree.at('memory/kubepods/podg/memory.limit_in_bytes'), { recursive: true });
    await tree.cgroups.ensure(guaranteed, never);
    expect(tree.log.lines.map(({ level, text }) => [level, text])).toEqual([
      ['warn', 'cgroup of a pod not set'],
    ]);
  });

  it('must be there', async () => {
    await using tree = await fixture(1, () => Promise.resolve());
    await expect(tree.cgroups.start(never)).rejects.toMatchObject({ code: 'Unavailable' });
  });
});

describe('cgroups of version 2', () => {
  it('have their controllers handed down', async () => {
    await using tree = await fixture(2, v2);
    await tree.cgroups.start(never);
    expect(await tree.text('cgroup.subtree_control')).toContain('+cpuset +memory +pids');
    expect(await tree.folders('kubepods')).toEqual(['besteffort', 'burstable']);
  });

  it('limit pods by weight and maximum', async () => {
    await using tree = await fixture(2, v2);
    await tree.cgroups.start(never);
    await tree.cgroups.ensure(guaranteed, never);
    await tree.cgroups.ensure(burstable, never);
    expect(await tree.text('kubepods/podg/cpu.weight')).toBe('20');
    expect(await tree.text('kubepods/podg/cpu.max')).toBe('50000 100000');
    expect(await tree.text('kubepods/podg/memory.max')).toBe(String(64 * 2 ** 20));
    expect(await tree.text('kubepods/podg/hugetlb.2MB.max')).toBe('0');
    expect(await readdir(tree.at('kubepods/burstable/podb'))).toEqual(['cpu.weight', 'hugetlb.2MB.max']);
    expect(await tree.text('kubepods/burstable/cpu.weight')).toBe('10');
    expect(await tree.text('kubepods/besteffort/cpu.weight')).toBe('1');
  });

  it('must be mounted', async () => {
    await using tree = await fixture(2, v1);
    await expect(tree.cgroups.start(never)).rejects.toMatchObject({ code: 'Unavailable' });
  });
});

describe('with systemd', () => {
  it('cgroups are left to the runtime', async () => {
    const cgroups = createPodCgroups(
      { driver: 'systemd', root: '/', version: 2, mount: '/nowhere', hugePageSizes: [] },
      { log: recordingLogger(), kill: () => undefined, removeCgroup: () => Promise.resolve() },
    );
    await cgroups.start(never);
    await cgroups.ensure(guaranteed, never);
    expect(await cgroups.uids(never)).toEqual([]);
  });
});

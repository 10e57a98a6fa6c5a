import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  mkdir,
  mkdtemp,
  readFile,
  readdir,
  realpath,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createMetricsRegistry, silentLogger, systemClock } from '@selvedge/kit';
import type { Pod, Volume } from '@selvedge/kube/types';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  containerWith,
  memoryObjects,
  podWith,
  recordedEvents,
} from '../../packages/edge-lite/src/pods/testing.ts';
import {
  type Mounter,
  type VolumeManager,
  createMounter,
  createVolumeManager,
} from '../../packages/edge-lite/src/pods/volumes/index.ts';

const never = new AbortController().signal;
const group = 4711;
const prefix = 'selvedge-volumes-';

let root: string;
let mounter: Mounter;
let manager: VolumeManager;
const objects = memoryObjects();

/** What the kernel has mounted below the test's folder: mount point, type and options. */
async function kernelMounts(): Promise<readonly { path: string; type: string; options: string }[]> {
  const lines = (await readFile('/proc/self/mountinfo', 'utf8')).split('\n');
  return lines.flatMap((line) => {
    const [left = '', right = ''] = line.split(' - ');
    const [, , , , path = ''] = left.split(' ');
    const [type = '', , options = ''] = right.split(' ');
    return path.startsWith(`${root}/`) ? [{ path, type, options }] : [];
  });
}

const volumePath = (plugin: string, name: string): string =>
  join(root, 'pods/uid-web/volumes', `kubernetes.io~${plugin}`, name);

function mounting(volumes: readonly Volume[], mounts: readonly object[] = []): Pod {
  const all = volumes.map(({ name }, i) => ({ name, mountPath: `/v/${name}`, ...mounts[i] }));
  return podWith({
    volumes,
    containers: [containerWith({ volumeMounts: all })],
    securityContext: { fsGroup: group },
  });
}

const mountsOf = (pod: Pod) =>
  manager.mounts({ pod, container: pod.spec?.containers[0] ?? containerWith(), podIPs: [], env: [] }, never);

beforeEach(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), prefix)));
  mounter = createMounter();
  manager = createVolumeManager(
    { pods: join(root, 'pods'), clusterDomain: 'cluster.local' },
    {
      objects,
      events: recordedEvents(),
      mounter,
      clock: systemClock,
      random: () => 0,
      log: silentLogger,
      metrics: createMetricsRegistry(),
      allocatable: () => ({ memory: '64Mi' }),
      tokens: {
        request: () =>
          Promise.resolve({
            token: 'secret token',
            expiresAtMs: Date.now() + 3_600_000,
            lifetimeSeconds: 3600,
          }),
      },
      tokenStore: { get: () => undefined, put: () => undefined, forget: () => undefined },
    },
  );
  const data = { pin: Buffer.from('1234').toString('base64') };
  objects.put('secrets', { metadata: { namespace: 'shop', name: 'pass' }, data });
  objects.put('configmaps', { metadata: { namespace: 'shop', name: 'conf' }, data: { 'app.conf': 'one' } });
  await manager.start(never);
});

afterAll(async () => {
  expect(await readFile('/proc/self/mountinfo', 'utf8')).not.toContain(prefix);
});

/** Whatever a test did: no mount and no folder is left. */
afterEach(async () => {
  await manager.stop();
  for (const { path } of (await kernelMounts()).toReversed()) await mounter.unmount(path, never);
  await rm(root, { recursive: true });
});

describe('volumes on a real kernel', () => {
  it('keep secrets and tokens on a tmpfs of a bounded size, for the group of the pod', async () => {
    const pod = mounting([
      { name: 'pass', secret: { secretName: 'pass', defaultMode: 0o400 } },
      { name: 'token', projected: { sources: [{ serviceAccountToken: { path: 'token' } }] } },
      { name: 'ram', emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } },
    ]);
    await manager.prepare(pod, never);
    const mounts = await kernelMounts();
    expect(mounts.map(({ path, type }) => [path, type])).toEqual([
      [volumePath('secret', 'pass'), 'tmpfs'],
      [volumePath('projected', 'token'), 'tmpfs'],
      [volumePath('empty-dir', 'ram'), 'tmpfs'],
    ]);
    expect(mounts[0]?.options).toMatch(/size=65536k/);
    expect(mounts[2]?.options).toMatch(/size=1024k.*gid=4711/);
    const pin = await stat(join(volumePath('secret', 'pass'), 'pin'));
    expect([pin.mode & 0o777, pin.gid]).toEqual([0o440, group]);
    const token = await stat(join(volumePath('projected', 'token'), 'token'));
    expect([token.mode & 0o777, token.gid]).toEqual([0o640, group]);
    const full = writeFile(join(volumePath('empty-dir', 'ram'), 'big'), Buffer.alloc(2 ** 21));
    await expect(full).rejects.toMatchObject({ code: 'ENOSPC' });
  });

  it('are found again by a new process, which mounts nothing twice', async () => {
    const pod = mounting([
      { name: 'pass', secret: { secretName: 'pass' } },
      { name: 'ram', emptyDir: { medium: 'Memory' } },
    ]);
    await manager.prepare(pod, never);
    await writeFile(join(volumePath('empty-dir', 'ram'), 'note'), 'mine');
    await manager.prepare(pod, never);
    expect(await kernelMounts()).toHaveLength(2);
    expect(await readFile(join(volumePath('empty-dir', 'ram'), 'note'), 'utf8')).toBe('mine');
  });

  it('are gone after their removal, what a container mounted into them included', async () => {
    const disk = { name: 'disk', emptyDir: {} };
    const pod = mounting([{ name: 'pass', secret: { secretName: 'pass' } }, disk]);
    await manager.prepare(pod, never);
    const precious = join(root, 'precious');
    await mkdir(precious);
    await writeFile(join(precious, 'data'), 'keep me');
    const inside = join(volumePath('empty-dir', 'disk'), 'host');
    await mkdir(inside);
    await mounter.bind(precious, inside, never);
    await symlink(precious, join(volumePath('empty-dir', 'disk'), 'link'));
    await manager.remove('uid-web', never);
    await manager.remove('uid-web', never);
    expect(await kernelMounts()).toEqual([]);
    expect(await readdir(join(root, 'pods'))).toEqual([]);
    expect(await readFile(join(precious, 'data'), 'utf8')).toBe('keep me');
  });

  it('are not deleted while somebody is inside', async () => {
    const pod = mounting([{ name: 'ram', emptyDir: { medium: 'Memory' } }]);
    await manager.prepare(pod, never);
    const path = volumePath('empty-dir', 'ram');
    await writeFile(join(path, 'note'), 'mine');
    const guest = spawn('sleep', ['60'], { cwd: path, stdio: 'ignore' });
    await once(guest, 'spawn');
    await expect(manager.remove('uid-web', never)).rejects.toMatchObject({ code: 'Unavailable' });
    expect(await readdir(path)).toEqual(['note']);
    const gone = once(guest, 'exit');
    guest.kill('SIGKILL');
    await gone;
    await manager.remove('uid-web', never);
    expect(await kernelMounts()).toEqual([]);
  });
});

describe('a part of a volume', () => {
  const disk: Volume = { name: 'disk', emptyDir: {} };

  it('is shown by itself: a folder, and a file of a config map', async () => {
    const pod = mounting(
      [disk, { name: 'conf', configMap: { name: 'conf' } }],
      [{ subPath: 'logs/web' }, { subPath: 'app.conf' }],
    );
    await manager.prepare(pod, never);
    const [logs, conf] = await mountsOf(pod);
    expect(await readFile(conf?.hostPath ?? '', 'utf8')).toBe('one');
    await writeFile(join(logs?.hostPath ?? '', 'x'), 'y');
    expect(await readFile(join(volumePath('empty-dir', 'disk'), 'logs/web/x'), 'utf8')).toBe('y');
    await mountsOf(pod);
    expect(await kernelMounts()).toHaveLength(2);
  });

  it('stays where it is when a link is put in its place', async () => {
    const pod = mounting([disk], [{ subPath: 'part' }]);
    await manager.prepare(pod, never);
    const [before] = await mountsOf(pod);
    const volume = volumePath('empty-dir', 'disk');
    await rename(join(volume, 'part'), join(volume, 'moved'));
    await symlink('/etc', join(volume, 'part'));
    const shown = before?.hostPath ?? '';
    expect((await stat(shown)).ino).toBe((await stat(join(volume, 'moved'))).ino);
    await expect(mountsOf(pod)).rejects.toThrow(
      'failed to prepare subPath for volumeMount "disk" of container "main"',
    );
  });

  it('is mounted anew when it was replaced', async () => {
    const pod = mounting([disk], [{ subPath: 'part' }]);
    await manager.prepare(pod, never);
    await mountsOf(pod);
    const volume = volumePath('empty-dir', 'disk');
    await rename(join(volume, 'part'), join(volume, 'old'));
    await mkdir(join(volume, 'part'));
    const [after] = await mountsOf(pod);
    expect((await stat(after?.hostPath ?? '')).ino).toBe((await stat(join(volume, 'part'))).ino);
    expect(await kernelMounts()).toHaveLength(1);
  });
});

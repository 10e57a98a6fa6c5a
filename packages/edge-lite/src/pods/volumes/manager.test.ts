import { mkdir, readFile, readdir, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { KeyValue, message } from '@selvedge/containerd-grpc-types';
import { SelvedgeError, createMetricsRegistry, silentLogger } from '@selvedge/kit';
import { createManualClock } from '@selvedge/kit/testing';
import type { Pod, Volume } from '@selvedge/kube/types';
import { describe, expect, it } from 'vitest';

import type { ServiceAccountToken } from '../ports.ts';
import { containerWith, memoryObjects, podWith, recordedEvents } from '../testing.ts';
import { createVolumeManager } from './manager.ts';
import { configVolume, mounting, tableMounter, testFolder, tokenVolume } from './testing.ts';

const never = new AbortController().signal;

async function world() {
  const folder = await testFolder();
  const pods = join(folder.path, 'pods');
  const objects = memoryObjects();
  const events = recordedEvents();
  const mounter = tableMounter();
  const clock = createManualClock();
  const kept = new Map<string, ServiceAccountToken>();
  let cloud = true;
  let issued = 0;
  let gate: Promise<void> = Promise.resolve();
  const manager = createVolumeManager(
    { pods, clusterDomain: 'cluster.local', hostsFile: join(folder.path, 'hosts') },
    {
      objects,
      events,
      mounter,
      clock,
      random: () => 0,
      log: silentLogger,
      metrics: createMetricsRegistry(),
      allocatable: () => ({ memory: '1Gi' }),
      tokens: {
        request: async () => {
          if (!cloud) throw new SelvedgeError('the cloud is away', { code: 'Unavailable' });
          issued += 1;
          await gate;
          return { token: `token ${issued}`, expiresAtMs: clock.now() + 3_600_000, lifetimeSeconds: 3600 };
        },
      },
      tokenStore: {
        get: ({ pod }) => kept.get(pod.uid),
        put: ({ pod }, token) => void kept.set(pod.uid, token),
        forget: (uid) => void kept.delete(uid),
      },
    },
  );
  objects.put('configmaps', { metadata: { namespace: 'shop', name: 'conf' }, data: { color: 'red' } });
  await writeFile(join(folder.path, 'hosts'), '127.0.0.1 gate-1\n');
  await manager.start(never);
  return {
    manager,
    objects,
    events: events.events,
    mounter,
    clock,
    pods,
    kept,
    cut: () => (cloud = false),
    /** Token requests wait until it is called. */
    hold: () => {
      const { promise, resolve } = Promise.withResolvers<void>();
      gate = promise;
      return resolve;
    },
    /** The text of a file in a volume, by the mount path of its volume. */
    async read(pod: Pod, path: string) {
      const mounts = await manager.mounts(
        { pod, container: pod.spec?.containers[0] ?? containerWith(), podIPs: ['10.0.0.7'], env: [] },
        never,
      );
      const mount = mounts.find(({ containerPath }) => path.startsWith(containerPath));
      return readFile(join(mount?.hostPath ?? '', path.slice(mount?.containerPath.length)), 'utf8');
    },
    async [Symbol.asyncDispose]() {
      await manager.stop();
      await folder[Symbol.asyncDispose]();
    },
  };
}

const ask = (pod: Pod, more: { podIPs?: string[]; env?: KeyValue[] } = {}) => {
  const [container = containerWith()] = pod.spec?.containers ?? [];
  return { pod, container, podIPs: ['10.0.0.7'], env: [], ...more };
};

describe('prepared volumes', () => {
  it('show config maps, in folders named as the kubelet names them', async () => {
    await using at = await world();
    const pod = mounting([configVolume]);
    await at.manager.prepare(pod, never);
    expect(await at.read(pod, '/v/conf/color')).toBe('red');
    expect(await readdir(join(at.pods, 'uid-web/volumes'))).toEqual(['kubernetes.io~configmap']);
  });

  it('keep secrets and tokens in memory, and empty folders where they are asked to be', async () => {
    await using at = await world();
    at.objects.put('secrets', { metadata: { namespace: 'shop', name: 'pass' }, data: {} });
    const volumes: Volume[] = [
      { name: 'pass', secret: { secretName: 'pass' } },
      tokenVolume,
      { name: 'names', downwardAPI: {} },
      { name: 'ram', emptyDir: { medium: 'Memory', sizeLimit: '16Mi' } },
      { name: 'disk', emptyDir: {} },
      configVolume,
    ];
    await at.manager.prepare(
      mounting(volumes, {}, { securityContext: { fsGroup: process.getgid?.() ?? 0 } }),
      never,
    );
    const gid = process.getgid?.() ?? 0;
    expect(at.mounter.mounts.map(({ path, tmpfs }) => [path.split('/').at(-1), tmpfs])).toEqual([
      ['pass', { sizeBytes: 2n ** 30n, mode: 0o2777, gid }],
      ['token', { sizeBytes: 2n ** 30n, mode: 0o2777, gid }],
      ['names', { sizeBytes: 2n ** 30n, mode: 0o2777, gid }],
      ['ram', { sizeBytes: 2n ** 24n, mode: 0o2777, gid }],
    ]);
  });

  it('are not made twice, and what a pod wrote stays', async () => {
    await using at = await world();
    const pod = mounting([
      { name: 'disk', emptyDir: {} },
      { name: 'ram', emptyDir: { medium: 'Memory' } },
    ]);
    await at.manager.prepare(pod, never);
    const disk = join(at.pods, 'uid-web/volumes/kubernetes.io~empty-dir/disk');
    await writeFile(join(disk, 'note'), 'mine');
    await at.manager.prepare(pod, never);
    expect(await readdir(disk)).toEqual(['note']);
    expect(at.mounter.mounts).toHaveLength(1);
    expect((await stat(disk)).mode & 0o777).toBe(0o777);
  });

  it('leave out a volume that no container mounts', async () => {
    await using at = await world();
    const pod = podWith({ volumes: [{ name: 'idle', configMap: { name: 'never-made' } }] });
    await expect(at.manager.prepare(pod, never)).resolves.toBeUndefined();
  });

  it.each<[Volume, string, string]>([
    [
      { name: 'x', configMap: { name: 'y' } },
      'NotFound',
      'MountVolume.SetUp failed for volume "x" : configmap "y" not found',
    ],
    [
      { name: 'x', configMap: { name: 'unread' } },
      'Unavailable',
      'MountVolume.SetUp failed for volume "x" : failed to sync configmap cache: "unread" has not been read yet',
    ],
    [
      { name: 'x', hostPath: { path: '/dev/null', type: 'File' } },
      'Invalid',
      'MountVolume.SetUp failed for volume "x" : hostPath type check failed: /dev/null is not a file',
    ],
    [
      { name: 'x', nfs: { path: '/', server: 's' } },
      'Unsupported',
      'MountVolume.SetUp failed for volume "x" : nfs is not supported on this node',
    ],
  ])('of %o fail with %s', async (volume, code, text) => {
    await using at = await world();
    at.objects.remove({ resource: 'configmaps', namespace: 'shop', name: 'y' });
    await expect(at.manager.prepare(mounting([volume]), never)).rejects.toMatchObject({
      code,
      message: text,
    });
  });

  it('need a token: without one the pod waits, with a stored one it starts while the cloud is away', async () => {
    await using at = await world();
    at.cut();
    const pod = mounting([tokenVolume]);
    await expect(at.manager.prepare(pod, never)).rejects.toMatchObject({
      code: 'Unavailable',
      message: 'MountVolume.SetUp failed for volume "token" : failed to fetch token: the cloud is away',
    });
    at.kept.set('uid-web', { token: 'stored', expiresAtMs: 0, lifetimeSeconds: 3600 });
    await at.manager.prepare(pod, never);
    expect(await at.read(pod, '/v/token/token')).toBe('stored');
  });
});

describe('volumes in use', () => {
  const text = (at: Awaited<ReturnType<typeof world>>, pod: Pod, path: string, expected: string) =>
    expect.poll(() => at.read(pod, path)).toBe(expected);

  it('follow their config maps', async () => {
    await using at = await world();
    const pod = mounting([configVolume]);
    await at.manager.prepare(pod, never);
    expect(at.objects.followers).toEqual(new Map([['configmaps/shop/conf', 1]]));
    at.objects.put('configmaps', { metadata: { namespace: 'shop', name: 'conf' }, data: { color: 'blue' } });
    await text(at, pod, '/v/conf/color', 'blue');
  });

  it("follow the pod's labels", async () => {
    await using at = await world();
    const volume = {
      name: 'pod',
      downwardAPI: { items: [{ path: 'app', fieldRef: { fieldPath: "metadata.labels['app']" } }] },
    };
    const pod = mounting([volume]);
    await at.manager.prepare(pod, never);
    expect(await at.read(pod, '/v/pod/app')).toBe('');
    at.objects.put('pods', { ...pod, metadata: { ...pod.metadata, labels: { app: 'till' } } });
    await text(at, pod, '/v/pod/app', 'till');
  });

  it('have their tokens renewed', async () => {
    await using at = await world();
    const pod = mounting([tokenVolume]);
    await at.manager.prepare(pod, never);
    expect(await at.read(pod, '/v/token/token')).toBe('token 1');
    await at.clock.asleep();
    await at.clock.advance(0.8 * 3_600_000);
    await text(at, pod, '/v/token/token', 'token 2');
  });

  it('take an update that comes while they are being made', async () => {
    await using at = await world();
    const open = at.hold();
    const pod = mounting([configVolume, tokenVolume]);
    const preparing = at.manager.prepare(pod, never);
    const folder = join(at.pods, 'uid-web/volumes/kubernetes.io~configmap/conf');
    await expect.poll(() => readFile(join(folder, 'color'))).toBeDefined();
    at.objects.put('configmaps', {
      metadata: { namespace: 'shop', name: 'conf' },
      data: { color: 'blue' },
    });
    open();
    await preparing;
    await text(at, pod, '/v/conf/color', 'blue');
  });

  it('do not wait for the token of another pod', async () => {
    await using at = await world();
    const [pod, other] = [mounting([configVolume]), mounting([tokenVolume])];
    await at.manager.prepare(pod, never);
    await at.manager.prepare({ ...other, metadata: { ...other.metadata, uid: 'uid-slow' } }, never);
    const open = at.hold();
    await at.clock.asleep();
    await at.clock.advance(0.8 * 3_600_000);
    at.objects.put('configmaps', {
      metadata: { namespace: 'shop', name: 'conf' },
      data: { color: 'blue' },
    });
    await text(at, pod, '/v/conf/color', 'blue');
    open();
  });

  it('stay as they are when an update fails, which an event tells, until it works again', async () => {
    await using at = await world();
    const pod = mounting([configVolume]);
    await at.manager.prepare(pod, never);
    at.objects.remove({ resource: 'configmaps', namespace: 'shop', name: 'conf' });
    await expect.poll(() => at.events).toHaveLength(1);
    expect(at.events[0]).toMatchObject({
      type: 'Warning',
      reason: 'FailedMount',
      message: 'MountVolume.SetUp failed for volume "conf" : configmap "conf" not found',
    });
    expect(await at.read(pod, '/v/conf/color')).toBe('red');
    at.objects.put('configmaps', { metadata: { namespace: 'shop', name: 'conf' }, data: { color: 'green' } });
    await text(at, pod, '/v/conf/color', 'green');
  });
});

describe('removed volumes', () => {
  it('leave nothing: no folder, no mount, no token, nothing followed', async () => {
    await using at = await world();
    const pod = mounting([configVolume, tokenVolume, { name: 'disk', emptyDir: {} }]);
    await at.manager.prepare(pod, never);
    expect(await at.manager.onDisk(never)).toEqual(['uid-web']);
    await at.manager.remove('uid-web', never);
    await at.manager.remove('uid-web', never);
    expect(await readdir(at.pods)).toEqual([]);
    expect(at.mounter.mounts).toEqual([]);
    expect(at.kept.size).toBe(0);
    expect(at.objects.followers.size).toBe(0);
  });

  it('are not touched while something is mounted in them', async () => {
    await using at = await world();
    const pod = mounting([{ name: 'disk', emptyDir: {} }]);
    await at.manager.prepare(pod, never);
    const inside = join(at.pods, 'uid-web/volumes/kubernetes.io~empty-dir/disk/usb');
    await mkdir(inside);
    await at.mounter.bind('/dev', inside, never);
    at.mounter.busy = inside;
    await expect(at.manager.remove('uid-web', never)).rejects.toThrow('busy');
    expect(await readdir(inside)).toEqual([]);
    at.mounter.busy = undefined;
    await at.manager.remove('uid-web', never);
  });

  it.each(['', '.', '..', 'a/b'])('are never those of %j', async (uid) => {
    await using at = await world();
    await expect(at.manager.remove(uid, never)).rejects.toThrow('invalid pod uid');
  });
});

describe('the mounts of a container', () => {
  it('are its volumes in order, the hosts file and the file for its last words', async () => {
    await using at = await world();
    const volumes = [configVolume, { name: 'host', hostPath: { path: '/dev' } }];
    const pod = mounting(volumes, {
      terminationMessagePath: '/dev/termination-log',
      volumeMounts: [
        { name: 'host', mountPath: 'dev', mountPropagation: 'HostToContainer' },
        { name: 'conf', mountPath: '/conf' },
      ],
    });
    await at.manager.prepare(pod, never);
    const mounts = await at.manager.mounts(ask(pod), never);
    expect(
      mounts.map(({ containerPath, readonly, propagation }) => [containerPath, readonly, propagation]),
    ).toEqual([
      ['/dev', false, 1],
      ['/conf', true, 0],
      ['/etc/hosts', false, 0],
      ['/dev/termination-log', false, 0],
    ]);
    expect(await readFile(mounts[2]?.hostPath ?? '', 'utf8')).toContain('10.0.0.7\tweb\n');
    const words = await stat(mounts[3]?.hostPath ?? '');
    expect([words.size, words.mode & 0o777]).toEqual([0, 0o666]);
  });

  it("take the node's hosts file on its network, and none where the container brings its own", async () => {
    await using at = await world();
    const pod = mounting([], {}, { hostNetwork: true });
    await at.manager.prepare(pod, never);
    const [hosts] = await at.manager.mounts(ask(pod, { podIPs: [] }), never);
    expect(await readFile(hosts?.hostPath ?? '', 'utf8')).toBe(
      '# Kubernetes-managed hosts file (host network).\n127.0.0.1 gate-1\n',
    );
    const own = mounting([configVolume], { volumeMounts: [{ name: 'conf', mountPath: '/etc/hosts' }] });
    await at.manager.prepare(own, never);
    expect(await at.manager.mounts(ask(own), never)).toHaveLength(1);
  });

  it('keep the last words of few instances', async () => {
    await using at = await world();
    const pod = mounting([], { terminationMessagePath: '/last' });
    await at.manager.prepare(pod, never);
    for (let i = 0; i < 6; i += 1) await at.manager.mounts(ask(pod), never);
    expect(await readdir(join(at.pods, 'uid-web/containers/main'))).toHaveLength(4);
  });

  it('need prepared volumes', async () => {
    await using at = await world();
    await expect(at.manager.mounts(ask(podWith()), never)).rejects.toMatchObject({ code: 'Unavailable' });
  });

  const subPath = (more: object) =>
    mounting([{ name: 'disk', emptyDir: {} }], {
      volumeMounts: [{ name: 'disk', mountPath: '/d', ...more }],
    });

  it.each([
    [{ subPathExpr: 'logs/$(POD)' }, 'logs/web'],
    [{ subPath: 'a/b' }, 'a/b'],
  ])('show the part %o of a volume', async (more, made) => {
    await using at = await world();
    const pod = subPath(more);
    await at.manager.prepare(pod, never);
    const env = [message(KeyValue, { key: 'POD', value: Buffer.from('web') })];
    const [mount] = await at.manager.mounts(ask(pod, { env }), never);
    expect(mount?.hostPath).toBe(join(at.pods, 'uid-web/volume-subpaths/disk/main/0'));
    const info = await stat(join(at.pods, 'uid-web/volumes/kubernetes.io~empty-dir/disk', made));
    expect(info.mode & 0o777).toBe(0o777);
  });

  it.each([
    [{ subPathExpr: '$(NOBODY)/$(ANYBODY)' }, 'missing value for ANYBODY, NOBODY'],
    [{ subPath: '../x' }, "unable to provision SubPath `../x`: must not contain '..'"],
    [{ subPath: 'escape/x' }, 'failed to prepare subPath for volumeMount "disk" of container "main"'],
  ])('refuse the part %o', async (more, text) => {
    await using at = await world();
    const pod = subPath(more);
    await at.manager.prepare(pod, never);
    await symlink('/', join(at.pods, 'uid-web/volumes/kubernetes.io~empty-dir/disk/escape'));
    await expect(at.manager.mounts(ask(pod), never)).rejects.toThrow(
      expect.objectContaining({ message: text }),
    );
  });
});

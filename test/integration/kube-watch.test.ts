import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createMetricsRegistry, systemClock } from '@selvedge/kit';
import { recordingLogger, seededRandom } from '@selvedge/kit/testing';
import {
  createIndexedStore,
  createKubeClient,
  createKubeMetrics,
  createReflector,
  fileCredentials,
  resources,
  type KubeClient,
  type Reflector,
  type ReflectorOptions,
  type ReflectorStore,
  type WatchEvent,
} from '@selvedge/kube';
import type { ConfigMap } from '@selvedge/kube/types';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { PrivateControlPlane } from '../bed/control-plane/private-control-plane.ts';
import { waitFor } from '../bed/wait.ts';
import { connect, startControlPlane, type TestClient } from './kube-world.ts';
import { startResetProxy } from '../contract/reset-proxy.ts';

const { signal } = new AbortController();
const { configMaps, namespaces, selfSubjectReviews } = resources;

describe('watches against a real API server', () => {
  let controlPlane: PrivateControlPlane;
  let direct: TestClient;

  beforeAll(async () => {
    controlPlane = await startControlPlane();
    direct = await connect(controlPlane.kubeconfig);
  });
  afterAll(async () => {
    await direct?.[Symbol.asyncDispose]();
    await controlPlane?.stop();
  });

  const newNamespace = async (): Promise<string> => {
    const made = await direct.client.create(namespaces, { metadata: { generateName: 'watch-' } }, { signal });
    return made.metadata.name ?? '';
  };
  const write = (namespace: string, name: string, data: Record<string, string> = {}): Promise<ConfigMap> =>
    direct.client.create(configMaps, { metadata: { namespace, name }, data }, { signal });
  const reflect = async (
    options: Partial<ReflectorOptions<ConfigMap>>,
    store: ReflectorStore<ConfigMap>,
    world = direct,
  ): Promise<Reflector> => {
    const backoff = { initialMs: 10, maxMs: 100 };
    const reflector = createReflector(
      { resource: configMaps, backoff, ...options },
      { ...world, store, clock: systemClock, random: seededRandom(3) },
    );
    await reflector.start(signal);
    await reflector.whenSynced(signal);
    return reflector;
  };
  const sees = (store: { readonly size: number }, size: number): Promise<boolean> =>
    waitFor({ what: `${size} objects` }, systemClock, async () => store.size === size);

  it('takes its first list as a stream', async () => {
    const namespace = await newNamespace();
    for (const name of ['a', 'b', 'c']) await write(namespace, name);
    await using world = await connect(controlPlane.kubeconfig);
    const store = createIndexedStore<ConfigMap>();
    const reflector = await reflect({ namespace }, store, world);
    expect([...store.keys()].toSorted()).toEqual(['a', 'b', 'c'].map((name) => `${namespace}/${name}`));
    expect(world.registry.render()).toContain(
      'selvedge_kube_lists_total{resource="configmaps",kind="stream"} 1\n',
    );
    expect([...store.values()].every(({ kind }) => kind === 'ConfigMap')).toBe(true);
    await reflector.stop();
  });

  it('follows a selection only', async () => {
    const namespace = await newNamespace();
    const store = createIndexedStore<ConfigMap>();
    const reflector = await reflect({ namespace, labelSelector: 'mine in (yes)' }, store);
    const labels = { mine: 'yes' };
    await write(namespace, 'other');
    const mine = await direct.client.create(
      configMaps,
      { metadata: { namespace, name: 'mine', labels } },
      { signal },
    );
    await sees(store, 1);
    await direct.client.replace(
      configMaps,
      { ...mine, metadata: { ...mine.metadata, labels: {} } },
      { signal },
    );
    await sees(store, 0);
    await reflector.stop();
  });

  it('goes on from the version of an earlier run without a list', async () => {
    const namespace = await newNamespace();
    await write(namespace, 'a');
    const store = createIndexedStore<ConfigMap>();
    const first = await reflect({ namespace }, store);
    await first.stop();
    await write(namespace, 'b');
    await direct.client.delete(configMaps, { namespace, name: 'a' }, { signal });
    const replace = vi.spyOn(store, 'replace');
    const changes: string[] = [];
    store.subscribe(({ kind, object }) => changes.push(`${kind} ${object.metadata.name}`));
    const second = await reflect({ namespace, initialResourceVersion: first.resourceVersion }, store);
    const both = async (): Promise<boolean> => changes.length === 2;
    await waitFor({ what: 'both changes' }, systemClock, both);
    expect(changes).toEqual(['added b', 'deleted a']);
    expect(replace).not.toHaveBeenCalled();
    await second.stop();
  });

  it('lists anew, as a difference, when the version of an earlier run is gone', async () => {
    const namespace = await newNamespace();
    for (const name of ['keep', 'drop']) await write(namespace, name);
    const store = createIndexedStore<ConfigMap>();
    const first = await reflect({ namespace }, store);
    await first.stop();
    await direct.client.delete(configMaps, { namespace, name: 'drop' }, { signal });
    await write(namespace, 'new');
    await controlPlane.stopApiServer();
    await controlPlane.compact(signal);
    await controlPlane.startApiServer(signal);
    const changes: string[] = [];
    store.subscribe(({ kind, object }) => changes.push(`${kind} ${object.metadata.name}`));
    const second = await reflect({ namespace, initialResourceVersion: first.resourceVersion }, store);
    const both = async (): Promise<boolean> => changes.length === 2;
    await waitFor({ what: 'both changes' }, systemClock, both);
    expect(changes).toEqual(['deleted drop', 'added new']);
    await second.stop();
  });

  it('leaves room for calls when watches have taken every stream that the server grants', async () => {
    const namespace = await newNamespace();
    await using world = await connect(controlPlane.kubeconfig, { maxConnections: 1 });
    const watch = (): ReturnType<KubeClient['watch']> =>
      world.client.watch(configMaps, { namespace, sendInitialEvents: true, signal });
    const fill = async (): Promise<never> => {
      for (;;) await watch();
    };
    await expect(fill()).rejects.toMatchObject({ code: 'ResourceExhausted' });
    await Promise.all(Array.from({ length: 20 }, () => world.client.list(namespaces, { limit: 1, signal })));
    await expect(watch()).rejects.toMatchObject({ code: 'ResourceExhausted' });
    expect(world.registry.render()).toContain('selvedge_kube_dials_total 2\n');
  });

  it('reads no faster than its reader, and keeps serving others on the same connection', async () => {
    const namespace = await newNamespace();
    await using proxy = await startResetProxy(controlPlane.port);
    const servers = [`https://127.0.0.1:${proxy.port}`] as const;
    await using world = await connect(controlPlane.kubeconfig, { servers });
    const { resourceVersion } = await world.client.listAll(configMaps, { namespace, signal });
    const watch = await world.client.watch(configMaps, { namespace, resourceVersion, signal });
    const data = { pad: 'x'.repeat(100_000) };
    const names = Array.from({ length: 80 }, (_, i) => `cm-${String(i).padStart(3, '0')}`);
    for (const name of names) await write(namespace, name, data);
    const kept = proxy.bytesDown;
    expect(kept).toBeLessThan(1_000_000);
    const one = await world.client.get(configMaps, { namespace, name: 'cm-007' }, { signal });
    expect(one.data).toEqual(data);
    expect(proxy.connections).toBe(1);
    const read: (string | undefined)[] = [];
    for await (const batch of watch) {
      const objects = batch.filter((event) => event.type !== 'BOOKMARK').map(({ object }) => object);
      read.push(...objects.map(({ metadata }) => metadata.name));
      if (read.length === names.length) break;
    }
    // A server that waited too long for us may have ended the watch; what came is without a gap.
    expect(read.length).toBeGreaterThan(1);
    expect(read).toEqual(names.slice(0, read.length));
  });

  it('ends a watch, and only that, when an event is larger than its cap', async () => {
    const namespace = await newNamespace();
    const options = { namespace, signal, resourceVersion: undefined };
    const watch = await direct.client.watch(configMaps, { ...options, maxEventBytes: 10_000 });
    await write(namespace, 'small', { k: 'v' });
    await write(namespace, 'large', { pad: 'x'.repeat(20_000) });
    const events: WatchEvent<ConfigMap>[] = [];
    const reading = (async () => {
      for await (const batch of watch) events.push(...batch);
    })();
    await expect(reading).rejects.toMatchObject({ code: 'ResourceExhausted' });
    const names = events.flatMap((event) => (event.type === 'BOOKMARK' ? [] : [event.object.metadata.name]));
    expect(names).toEqual(['small']);
    await expect(direct.client.listAll(configMaps, { namespace, signal })).resolves.toBeDefined();
  });

  it('uses a replaced certificate for new requests while a watch of the old one goes on', async () => {
    const namespace = await newNamespace();
    const folder = await mkdtemp(join(tmpdir(), 'selvedge-rotation-'));
    const [certificate, privateKey] = [join(folder, 'client.crt'), join(folder, 'client.key')];
    const rotate = async (commonName: string): Promise<void> => {
      const pair = await controlPlane.issue({
        commonName,
        organizations: ['system:masters'],
        usages: ['client'],
      });
      await writeFile(privateKey, pair.key);
      await writeFile(certificate, pair.certificate);
    };
    await rotate('first');
    const registry = createMetricsRegistry();
    const deps = { clock: systemClock, random: Math.random, log: recordingLogger() };
    const credentials = fileCredentials(
      {
        certificateAuthority: { text: controlPlane.ca },
        certificate: { file: certificate },
        privateKey: { file: privateKey },
        checkEveryMs: 0,
      },
      deps,
    );
    const client = createKubeClient(
      { servers: [`https://127.0.0.1:${controlPlane.port}`], userAgent: 'selvedge-test' },
      { ...deps, credentials, metrics: createKubeMetrics(registry) },
    );
    const whoAmI = async (): Promise<string | undefined> => {
      const review = await client.create(selfSubjectReviews, { metadata: {} }, { signal });
      return review.status?.userInfo?.username;
    };
    const watch = await client.watch(configMaps, { namespace, sendInitialEvents: true, signal });
    expect(await whoAmI()).toBe('first');
    await rotate('second');
    expect(await whoAmI()).toBe('second');
    await write(namespace, 'after');
    let added: string | undefined;
    for await (const batch of watch) {
      added = batch.flatMap((event) => (event.type === 'ADDED' ? [event.object.metadata.name] : []))[0];
      if (added !== undefined) break;
    }
    expect(added).toBe('after');
    expect(registry.render()).toContain('selvedge_kube_dials_total 2\n');
    await client.close();
    await rm(folder, { recursive: true });
  });

  it('moves to another server when one is lost, and stays there', async () => {
    await using one = await startResetProxy(controlPlane.port);
    await using two = await startResetProxy(controlPlane.port);
    const servers = [`https://127.0.0.1:${one.port}`, `https://127.0.0.1:${two.port}`] as const;
    await using world = await connect(controlPlane.kubeconfig, { servers });
    const list = (): ReturnType<KubeClient['list']> => world.client.list(namespaces, { limit: 1, signal });
    await list();
    expect([one.connections, two.connections]).toEqual([1, 0]);
    one.refuse();
    await list();
    expect(world.client.server).toBe(`127.0.0.1:${two.port}`);
    one.allow();
    await list();
    expect([one.connections, two.connections]).toEqual([1, 1]);
    two.refuse();
    await list();
    expect(world.client.server).toBe(`127.0.0.1:${one.port}`);
    one.refuse();
    await expect(list()).rejects.toMatchObject({ code: 'Unavailable' });
  });

  it('sends a write again only when no server can have seen it', async () => {
    const namespace = await newNamespace();
    await using proxy = await startResetProxy(controlPlane.port);
    const servers = [`https://127.0.0.1:${proxy.port}`, `https://127.0.0.1:${controlPlane.port}`] as const;
    await using world = await connect(controlPlane.kubeconfig, { servers });
    await world.client.list(namespaces, { limit: 1, signal });
    proxy.resetAfter(1);
    const object = { metadata: { namespace, name: 'once' } };
    await expect(world.client.create(configMaps, object, { signal })).rejects.toMatchObject({
      code: 'Unavailable',
    });
    proxy.refuse();
    const again = { metadata: { namespace, name: 'again' } };
    await expect(world.client.create(configMaps, again, { signal })).resolves.toBeDefined();
  });
});

import { KubeConfig, CoreV1Api, makeInformer, type V1ConfigMap } from '@kubernetes/client-node';
import { systemClock } from '@selvedge/kit';
import { seededRandom } from '@selvedge/kit/testing';
import {
  compareResourceVersions,
  createIndexedStore,
  createReflector,
  gatherReplacement,
  resources,
  type ObjectEvent,
  type Reflector,
  type ReflectorStore,
} from '@selvedge/kube';
import type { ConfigMap } from '@selvedge/kube/types';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PrivateControlPlane } from '../bed/control-plane/private-control-plane.ts';
import { waitFor } from '../bed/wait.ts';
import { byName, RandomWriter, seen, type Named, type Seen } from './kube-history.ts';
import { connect, startControlPlane, type TestClient } from './kube-world.ts';
import { startResetProxy } from '../contract/reset-proxy.ts';

const { signal } = new AbortController();
const { configMaps, namespaces } = resources;
const types = { ADDED: 'add', MODIFIED: 'update', DELETED: 'delete' } as const;

/** @kubernetes/client-node's informer, on a connection of its own. */
async function startOracle(
  kubeconfig: string,
  namespace: string,
): Promise<{
  readonly history: Seen[];
  readonly informer: ReturnType<typeof makeInformer<V1ConfigMap>>;
}> {
  const config = new KubeConfig();
  config.loadFromFile(kubeconfig);
  const api = config.makeApiClient(CoreV1Api);
  const path = `/api/v1/namespaces/${namespace}/configmaps`;
  const informer = makeInformer(config, path, () => api.listNamespacedConfigMap({ namespace }));
  const history: Seen[] = [];
  for (const type of ['add', 'update', 'delete'] as const) {
    informer.on(type, (object) => history.push(seen(type, object)));
  }
  await informer.start();
  return { history, informer };
}

/** Our store, with a record of what it was given. */
function recordingStore(): ReflectorStore<ConfigMap> & {
  readonly history: Seen[];
  readonly lists: number;
  readonly objects: ReturnType<typeof createIndexedStore<ConfigMap>>;
} {
  const objects = createIndexedStore<ConfigMap>();
  const history: Seen[] = [];
  let lists = 0;
  return {
    history,
    objects,
    get lists() {
      return lists;
    },
    beginReplace: () =>
      gatherReplacement((items, resourceVersion) => {
        lists += 1;
        objects.replace(items, resourceVersion);
      }),
    apply(events: readonly ObjectEvent<ConfigMap>[], resourceVersion) {
      for (const { type, object } of events) history.push(seen(types[type], object));
      objects.apply(events, resourceVersion);
    },
  };
}

const versions = (objects: Iterable<Named>): Readonly<Record<string, string | undefined>> =>
  Object.fromEntries(
    Array.from(objects, ({ metadata }) => [metadata?.name ?? '', metadata?.resourceVersion]),
  );

describe('the watch cache beside the informer of @kubernetes/client-node', () => {
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
  const reflect = (namespace: string, world: TestClient, store: ReflectorStore<ConfigMap>): Reflector =>
    createReflector(
      { resource: configMaps, namespace, backoff: { initialMs: 10, maxMs: 100 } },
      { ...world, store, clock: systemClock, random: seededRandom(3) },
    );

  it.each([11, 12, 13])(
    'loses no event and sees none twice while connections are reset (seed %i)',
    async (seed) => {
      const random = seededRandom(seed);
      const namespace = await newNamespace();
      await using proxy = await startResetProxy(controlPlane.port);
      await using world = await connect(controlPlane.kubeconfig, {
        servers: [`https://127.0.0.1:${proxy.port}`],
      });
      const { history, informer } = await startOracle(controlPlane.kubeconfig, namespace);
      const store = recordingStore();
      const reflector = reflect(namespace, world, store);
      await reflector.start(signal);
      await reflector.whenSynced(signal);
      history.length = 0;
      const writer = new RandomWriter(direct.client, namespace, random);
      for (let writes = 0; writes < 400; writes += 1) {
        await writer.write();
        if (random() < 0.06) proxy.reset();
        if (random() < 0.06) proxy.resetAfter(Math.floor(random() * 6_000));
      }
      await writer.finish();
      for (const watcher of [history, store.history]) {
        const look = async (): Promise<boolean> => watcher.some(({ name }) => name === 'last');
        await waitFor({ what: 'the last event' }, systemClock, look);
      }
      await reflector.stop();
      await informer.stop();
      expect(proxy.connections).toBeGreaterThan(5);
      expect(store.lists).toBe(1);
      expect(store.history).toEqual(history);
      const truth = await direct.client.listAll(configMaps, { namespace, signal });
      expect(versions(store.objects.values())).toEqual(versions(truth.items));
      expect(versions(informer.list())).toEqual(versions(truth.items));
    },
  );

  it('never goes back, and ends at the truth, while the API server restarts and forgets its history', async () => {
    const random = seededRandom(21);
    const namespace = await newNamespace();
    const store = recordingStore();
    const changes: Seen[] = [];
    store.objects.subscribe(({ kind, object }) => {
      changes.push(seen(kind === 'added' ? 'add' : kind === 'updated' ? 'update' : 'delete', object));
    });
    await using world = await connect(controlPlane.kubeconfig);
    const reflector = reflect(namespace, world, store);
    await reflector.start(signal);
    await reflector.whenSynced(signal);
    const writer = new RandomWriter(direct.client, namespace, random);
    for (const how of ['drain', 'kill'] as const) {
      for (let writes = 0; writes < 40; writes += 1) await writer.write();
      await controlPlane.stopApiServer(how);
      await controlPlane.compact(signal);
      await controlPlane.startApiServer(signal);
      for (let writes = 0; writes < 40; writes += 1) await writer.write();
    }
    await writer.finish();
    const look = async (): Promise<boolean> => store.objects.get(`${namespace}/last`) !== undefined;
    await waitFor({ what: 'the last object' }, systemClock, look);
    await reflector.stop();
    expect(store.lists).toBeGreaterThan(1);
    const truth = await direct.client.listAll(configMaps, { namespace, signal });
    expect(versions(store.objects.values())).toEqual(versions(truth.items));
    for (const [, history] of byName(changes)) {
      const sorted = history.toSorted((a, b) =>
        compareResourceVersions(a.resourceVersion, b.resourceVersion),
      );
      expect(history).toEqual(sorted);
      expect(new Set(history.map(({ resourceVersion }) => resourceVersion)).size).toBe(history.length);
    }
  });
});

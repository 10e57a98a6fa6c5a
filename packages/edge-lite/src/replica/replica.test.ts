import { createMetricsRegistry } from '@selvedge/kit';
import { type ManualClock, createManualClock, recordingLogger, seededRandom } from '@selvedge/kit/testing';
import { type KubeObject, createKubeMetrics } from '@selvedge/kube';
import type { ConfigMap, Pod } from '@selvedge/kube/types';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { ObjectRef } from '../pods/index.ts';
import { type Replica, createReplica } from './replica.ts';
import { TestApi, type TestStore, openTestStore } from './testing.ts';

const node: KubeObject = { metadata: { name: 'shop-7', uid: 'n' } };
const service: KubeObject = { metadata: { namespace: 'default', name: 'kubernetes', uid: 's' } };
const pod = { metadata: { namespace: 'default', name: 'web', uid: 'p' }, spec: { nodeName: 'shop-7' } };
const elsewhere = { metadata: { namespace: 'default', name: 'far', uid: 'q' }, spec: { nodeName: 'other' } };
const config = { metadata: { namespace: 'default', name: 'settings', uid: 'c' }, data: { a: '1' } };
const settings: ObjectRef = { resource: 'configmaps', namespace: 'default', name: 'settings' };
const web: ObjectRef = { resource: 'pods', namespace: 'default', name: 'web' };

let api: TestApi;
let files: TestStore;
let clock: ManualClock;
let replica: Replica;
let log: ReturnType<typeof recordingLogger>;

function create(maxFollowed = 10): Replica {
  const metrics = createMetricsRegistry();
  log = recordingLogger();
  return createReplica(
    { nodeName: 'shop-7', maxFollowed },
    {
      client: api.client,
      objects: files.store.objects,
      clock,
      random: seededRandom(5),
      log,
      metrics,
      kubeMetrics: createKubeMetrics(metrics),
    },
  );
}

beforeEach(async () => {
  api = new TestApi();
  api.put('nodes', node);
  api.put('services', service);
  api.put('pods', pod);
  api.put('pods', elsewhere);
  files = await openTestStore();
  clock = createManualClock();
  replica = create();
});

afterEach(async () => {
  await replica.stop();
  expect(clock.sleepers).toBe(0);
  await files[Symbol.asyncDispose]();
});

const signal = new AbortController().signal;
const eventually = (assertion: () => void): Promise<void> => vi.waitFor(assertion, 5_000);
const start = async (): Promise<void> => {
  await replica.start(signal);
  await replica.whenSynced(signal);
};
const kindOf = (ref: ObjectRef): string => replica.source.get(ref).kind;

describe('objects of this node', () => {
  test('are unknown before the first list, present or absent after it', async () => {
    expect(kindOf(web)).toBe('unknown');
    expect(replica.source.synced('pods')).toBe(false);
    await start();
    expect(replica.source.get<Pod>(web)).toMatchObject({
      kind: 'present',
      object: { metadata: { uid: 'p' } },
    });
    expect(kindOf({ ...web, name: 'far' })).toBe('absent');
    expect(kindOf({ resource: 'nodes', name: 'shop-7' })).toBe('present');
    expect(replica.source.list('services').map(({ metadata }) => metadata.name)).toEqual(['kubernetes']);
  });

  test('are told when they change, until the subscription ends', async () => {
    await start();
    const told: ObjectRef[] = [];
    const subscription = replica.source.subscribe('pods', (ref) => told.push(ref));
    api.put('pods', { ...pod, spec: { nodeName: 'shop-7', priority: 1 } } as KubeObject);
    await eventually(() => expect(told).toEqual([web]));
    api.remove('pods', pod);
    await eventually(() => expect(told).toHaveLength(2));
    expect(kindOf(web)).toBe('absent');
    subscription[Symbol.dispose]();
    api.put('pods', pod);
    await eventually(() => expect(kindOf(web)).toBe('present'));
    expect(told).toHaveLength(2);
  });

  test('a subscriber that throws does not keep the others from being told', async () => {
    await start();
    const told: ObjectRef[] = [];
    replica.source.subscribe('pods', () => {
      throw new RangeError('mine');
    });
    replica.source.subscribe('pods', (ref) => told.push(ref));
    api.put('pods', { ...pod, metadata: { ...pod.metadata, labels: { a: 'b' } } });
    await eventually(() => expect(told).toHaveLength(1));
    expect(log.lines.find(({ level }) => level === 'error')?.text).toBe('a subscriber failed');
  });
});

describe('after a restart', () => {
  test('without network what was known is served, absence too, and synced at once', async () => {
    const following = replica.source.follow(settings);
    api.put('configmaps', config);
    await start();
    await eventually(() => expect(kindOf(settings)).toBe('present'));
    following[Symbol.dispose]();
    await replica.stop();
    await files.reopen();
    api.cut();
    replica = create();
    await start();
    expect(replica.source.synced('configmaps')).toBe(false);
    expect(kindOf(web)).toBe('present');
    expect(kindOf({ ...web, name: 'far' })).toBe('absent');
    expect(replica.source.get<ConfigMap>(settings)).toMatchObject({ object: { data: { a: '1' } } });
    expect(replica.source.synced('pods')).toBe(true);
  });

  test('the watches go on where they were, only single objects are listed', async () => {
    await start();
    await replica.stop();
    api.remove('pods', pod);
    await files.reopen();
    api.lists.length = 0;
    expect(api.looks).toEqual([]);
    replica = create();
    await start();
    await eventually(() => expect(kindOf(web)).toBe('absent'));
    expect(api.lists).toEqual(['nodes metadata.name=shop-7']);
    expect(api.looks.toSorted()).toEqual(['pods', 'services']);
  });

  test('a cluster that was restored from a backup is listed, not waited for', async () => {
    await start();
    await replica.stop();
    api.restore(5);
    api.remove('pods', pod);
    await files.reopen();
    api.lists.length = 0;
    replica = create();
    await start();
    await eventually(() => expect(kindOf(web)).toBe('absent'));
    expect(api.lists).toContain('pods spec.nodeName=shop-7');
    api.put('pods', pod);
    await eventually(() => expect(kindOf(web)).toBe('present'));
  });
});

describe('followed objects', () => {
  test('are watched one by one, only while somebody follows them', async () => {
    api.put('configmaps', config);
    await start();
    expect(kindOf(settings)).toBe('unknown');
    const [first, second] = [replica.source.follow(settings), replica.source.follow(settings)];
    await eventually(() => expect(kindOf(settings)).toBe('present'));
    expect(api.lists.filter((list) => list.startsWith('configmaps'))).toEqual([
      'configmaps metadata.name=settings',
    ]);
    first[Symbol.dispose]();
    first[Symbol.dispose]();
    api.put('configmaps', { ...config, data: { a: '2' } } as KubeObject);
    await eventually(() =>
      expect(replica.source.get<ConfigMap>(settings)).toMatchObject({ object: { data: { a: '2' } } }),
    );
    second[Symbol.dispose]();
    await clock.advance(1);
    api.put('configmaps', { ...config, data: { a: '3' } } as KubeObject);
    await clock.advance(1_000);
    expect(replica.source.get<ConfigMap>(settings)).toMatchObject({ object: { data: { a: '2' } } });
  });

  test('that an earlier pod left on disk are held back until the API server has said what they are now', async () => {
    api.put('configmaps', config);
    await start();
    const earlier = replica.source.follow(settings);
    await eventually(() => expect(kindOf(settings)).toBe('present'));
    earlier[Symbol.dispose]();
    await clock.advance(1);
    api.put('configmaps', { ...config, data: { a: '2' } } as KubeObject);
    expect(replica.source.get<ConfigMap>(settings)).toMatchObject({ object: { data: { a: '1' } } });
    const seen: unknown[] = [];
    replica.source.subscribe('configmaps', (ref) => seen.push(replica.source.get(ref)));
    using later = replica.source.follow(settings);
    expect(kindOf(settings)).toBe('unknown');
    await eventually(() => expect(seen).toMatchObject([{ kind: 'present', object: { data: { a: '2' } } }]));
    expect(later).toBeDefined();
  });

  test('are served from disk when the API server does not answer in time, and that is told', async () => {
    api.put('configmaps', config);
    await start();
    const earlier = replica.source.follow(settings);
    await eventually(() => expect(kindOf(settings)).toBe('present'));
    earlier[Symbol.dispose]();
    api.cut();
    const told: ObjectRef[] = [];
    replica.source.subscribe('configmaps', (ref) => told.push(ref));
    using later = replica.source.follow(settings);
    await clock.advance(1_999);
    expect([kindOf(settings), told]).toEqual(['unknown', []]);
    await clock.advance(1);
    expect([kindOf(settings), told]).toEqual(['present', [settings]]);
    expect(later).toBeDefined();
  });

  test('that are not there are known to be absent, and that is told', async () => {
    await start();
    const told: ObjectRef[] = [];
    replica.source.subscribe('configmaps', (ref) => told.push(ref));
    using following = replica.source.follow(settings);
    await eventually(() => expect(told).toEqual([settings]));
    expect(kindOf(settings)).toBe('absent');
    expect(following).toBeDefined();
  });

  test('that nobody follows any more leave the disk after a while, those in use stay', async () => {
    api.put('secrets', { ...config, metadata: { ...config.metadata, name: 'login' } });
    api.put('configmaps', config);
    await start();
    const login: ObjectRef = { resource: 'secrets', namespace: 'default', name: 'login' };
    using used = replica.source.follow(settings);
    const unused = replica.source.follow(login);
    const none = replica.source.follow({ ...settings, name: 'none' });
    await eventually(() => expect([kindOf(settings), kindOf(login)]).toEqual(['present', 'present']));
    await eventually(() => expect(kindOf({ ...settings, name: 'none' })).toBe('absent'));
    unused[Symbol.dispose]();
    none[Symbol.dispose]();
    await clock.advance(700_000);
    expect(kindOf(login)).toBe('present');
    await clock.advance(700_000);
    expect([kindOf(settings), kindOf(login)]).toEqual(['present', 'unknown']);
    expect(kindOf({ ...settings, name: 'none' })).toBe('unknown');
    expect(used).toBeDefined();
  });

  test('beyond the cap stay unknown, and that is said', async () => {
    replica = create(1);
    await start();
    using one = replica.source.follow(settings);
    using two = replica.source.follow({ ...settings, name: 'other' });
    await eventually(() => expect(kindOf(settings)).toBe('absent'));
    expect(kindOf({ ...settings, name: 'other' })).toBe('unknown');
    expect(log.lines.find(({ level }) => level === 'error')?.text).toBe('too many objects are followed');
    expect([one, two]).toHaveLength(2);
  });
});

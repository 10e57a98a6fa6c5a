import { SelvedgeError, createMetricsRegistry } from '@selvedge/kit';
import { seededRandom } from '@selvedge/kit/testing';
import type { KubeObject } from '@selvedge/kube';
import type { ConfigMap, Pod } from '@selvedge/kube/types';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ObjectRef } from '../../pods/index.ts';
import { type CoveragesWorld, createCoveragesWorld, nodeCaller, spec } from '../coverages/testing-world.ts';
import { type HubSource, createHubSource } from './hub-source.ts';

const node: KubeObject = { metadata: { name: 'shop-7', uid: 'n' } };
const service: KubeObject = { metadata: { namespace: 'default', name: 'kubernetes', uid: 's' } };
const pod = { metadata: { namespace: 'default', name: 'web', uid: 'p' }, spec: { nodeName: 'shop-7' } };
const elsewhere = { metadata: { namespace: 'default', name: 'far', uid: 'q' }, spec: { nodeName: 'other' } };
const config = { metadata: { namespace: 'default', name: 'settings', uid: 'c' }, data: { a: '1' } };
const settings: ObjectRef = { resource: 'configmaps', namespace: 'default', name: 'settings' };
const web: ObjectRef = { resource: 'pods', namespace: 'default', name: 'web' };

let world: CoveragesWorld;
let hub: HubSource;

const { signal } = new AbortController();
const kindOf = (ref: ObjectRef): string => hub.source.get(ref).kind;
const settle = (ms = 0): Promise<void> => world.clock.advance(ms);

async function begin(maxFollowed = 10): Promise<void> {
  const { replica, coverages, api: upstream, clock, log } = world;
  hub = createHubSource(
    { nodeName: 'shop-7', maxFollowed },
    {
      replica,
      coverages,
      upstream,
      clock,
      log,
      random: seededRandom(5),
      metrics: createMetricsRegistry(),
    },
  );
  await hub.start(signal);
  await settle();
}

async function restart(): Promise<void> {
  await hub.stop();
  await world.restart();
  await begin();
}

beforeEach(async () => {
  world = await createCoveragesWorld();
  world.api.put('nodes', node);
  world.api.put('services', service);
  world.api.put('pods', pod);
  world.api.put('pods', elsewhere);
  await world.start();
});

afterEach(async () => {
  await hub.stop();
  await world[Symbol.asyncDispose]();
});

describe('objects of this node', () => {
  test('are unknown before the first list, present or absent after it', async () => {
    world.api.cut();
    await begin();
    expect([kindOf(web), hub.source.synced('pods')]).toEqual(['unknown', false]);
    world.api.heal();
    await settle();
    await hub.whenSynced(signal);
    expect(hub.source.get<Pod>(web)).toMatchObject({ kind: 'present', object: { metadata: { uid: 'p' } } });
    expect(kindOf({ ...web, name: 'far' })).toBe('absent');
    expect(kindOf({ resource: 'nodes', name: 'shop-7' })).toBe('present');
    expect(hub.source.list('services').map(({ metadata }) => metadata.name)).toEqual(['kubernetes']);
  });

  test('are told when they change, until the subscription ends', async () => {
    await begin();
    const told: ObjectRef[] = [];
    const subscription = hub.source.subscribe('pods', (ref) => told.push(ref));
    world.api.put('pods', { ...pod, spec: { nodeName: 'shop-7', priority: 1 } } as KubeObject);
    await settle();
    expect(told).toEqual([web]);
    world.api.remove('pods', pod);
    await settle();
    expect([told.length, kindOf(web)]).toEqual([2, 'absent']);
    subscription[Symbol.dispose]();
    world.api.put('pods', pod);
    await settle();
    expect([told.length, kindOf(web)]).toEqual([2, 'present']);
  });

  test('are only its own pods and Node, though others here read all of them', async () => {
    world.api.put('nodes', { metadata: { name: 'other', uid: 'o' } });
    await begin();
    const told: ObjectRef[] = [];
    using subscription = hub.source.subscribe('pods', (ref) => told.push(ref));
    using pods = await world.coverages.join({ spec: spec('v1/pods'), caller: nodeCaller }, signal);
    using nodes = await world.coverages.join({ spec: spec('v1/nodes'), caller: nodeCaller }, signal);
    await settle(1_000);
    expect(world.shown('v1/pods')).toEqual(['far', 'web']);
    expect(hub.source.list('pods').map(({ metadata }) => metadata.name)).toEqual(['web']);
    expect(hub.source.list('nodes').map(({ metadata }) => metadata.name)).toEqual(['shop-7']);
    expect([kindOf({ ...web, name: 'far' }), told]).toEqual(['absent', []]);
    expect([subscription, pods, nodes]).toHaveLength(3);
  });

  test('are lists by namespace, too', async () => {
    world.api.put('pods', { ...pod, metadata: { namespace: 'kube-system', name: 'dns', uid: 'd' } });
    await begin();
    expect(hub.source.list('pods', 'kube-system').map(({ metadata }) => metadata.name)).toEqual(['dns']);
    expect(hub.source.list('pods')).toHaveLength(2);
  });
});

describe('after a restart in a cut', () => {
  test('what was known is served, absence too, and synced at once', async () => {
    world.api.put('configmaps', config);
    await begin();
    const following = hub.source.follow(settings);
    await settle();
    expect(kindOf(settings)).toBe('present');
    following[Symbol.dispose]();
    world.api.cut();
    await restart();
    await hub.whenSynced(signal);
    expect([hub.source.synced('pods'), hub.source.synced('configmaps')]).toEqual([true, false]);
    expect([kindOf(web), kindOf({ ...web, name: 'far' })]).toEqual(['present', 'absent']);
    using again = hub.source.follow(settings);
    await settle();
    expect(hub.source.get<ConfigMap>(settings)).toMatchObject({ object: { data: { a: '1' } } });
    expect(again).toBeDefined();
  });

  test('what comes with the heal is taken over', async () => {
    await begin();
    world.api.cut();
    await restart();
    world.api.remove('pods', pod);
    world.api.heal();
    await settle(1_000);
    expect(kindOf(web)).toBe('absent');
  });
});

describe('followed objects', () => {
  test('are watched one by one, once for all who follow them', async () => {
    world.api.put('configmaps', config);
    await begin();
    expect(kindOf(settings)).toBe('unknown');
    using first = hub.source.follow(settings);
    using second = hub.source.follow(settings);
    await settle();
    expect(kindOf(settings)).toBe('present');
    expect(world.api.requests.filter((request) => request.includes('configmaps'))).toEqual([
      'stream configmaps default metadata.name=settings as node',
    ]);
    world.api.put('configmaps', { ...config, data: { a: '2' } } as KubeObject);
    await settle();
    expect(hub.source.get<ConfigMap>(settings)).toMatchObject({ object: { data: { a: '2' } } });
    expect([first, second]).toHaveLength(2);
  });

  test('that an earlier run left on disk are held back until upstream has said what they are now', async () => {
    world.api.put('configmaps', config);
    await begin();
    const earlier = hub.source.follow(settings);
    await settle();
    earlier[Symbol.dispose]();
    world.api.cut();
    await restart();
    world.api.put('configmaps', { ...config, data: { a: '2' } } as KubeObject);
    const seen: unknown[] = [];
    using subscription = hub.source.subscribe('configmaps', (ref) => seen.push(hub.source.get(ref)));
    world.api.heal();
    using later = hub.source.follow(settings);
    expect(kindOf(settings)).toBe('unknown');
    await settle(1_000);
    expect(seen).toMatchObject([{ kind: 'present', object: { data: { a: '2' } } }]);
    expect([subscription, later]).toHaveLength(2);
  });

  test('are served from disk when upstream does not answer in time, and that is told', async () => {
    world.api.put('configmaps', config);
    await begin();
    const earlier = hub.source.follow(settings);
    await settle();
    earlier[Symbol.dispose]();
    world.api.cut();
    world.ready = () => new Promise(() => undefined);
    await restart();
    world.api.heal();
    const told: ObjectRef[] = [];
    using subscription = hub.source.subscribe('configmaps', (ref) => told.push(ref));
    using later = hub.source.follow(settings);
    await settle(1_999);
    expect([kindOf(settings), told]).toEqual(['unknown', []]);
    await settle(1);
    expect([kindOf(settings), told]).toEqual(['present', [settings]]);
    expect([subscription, later]).toHaveLength(2);
  });

  test('that are not there are known to be absent, and that is told', async () => {
    await begin();
    const told: ObjectRef[] = [];
    using subscription = hub.source.subscribe('configmaps', (ref) => told.push(ref));
    using following = hub.source.follow(settings);
    await settle();
    expect([kindOf(settings), told]).toEqual(['absent', [settings]]);
    expect([subscription, following]).toHaveLength(2);
  });

  test('that nobody follows any more leave the disk after a while, those in use stay', async () => {
    const login: ObjectRef = { resource: 'secrets', namespace: 'default', name: 'login' };
    const none = { ...settings, name: 'none' };
    world.api.put('secrets', { ...config, metadata: { ...config.metadata, name: 'login' } });
    world.api.put('configmaps', config);
    await begin();
    using used = hub.source.follow(settings);
    const unused = [hub.source.follow(login), hub.source.follow(none)];
    await settle();
    expect([settings, login, none].map(kindOf)).toEqual(['present', 'present', 'absent']);
    for (const one of unused) one[Symbol.dispose]();
    await settle(300_000);
    expect(kindOf(login)).toBe('present');
    await settle(500_000);
    expect([settings, login, none].map(kindOf)).toEqual(['present', 'unknown', 'unknown']);
    expect(used).toBeDefined();
  });

  test('that the node may not read yet are tried again', async () => {
    world.api.put('configmaps', config);
    await begin();
    let refusals = 2;
    world.api.refuse = (_sponsor, request) => {
      if (!request.includes('configmaps') || refusals === 0) return undefined;
      refusals -= 1;
      return new SelvedgeError('not yet', { code: 'Forbidden' });
    };
    using following = hub.source.follow(settings);
    await settle();
    expect(kindOf(settings)).toBe('unknown');
    await settle(10_000);
    expect(kindOf(settings)).toBe('present');
    expect(following).toBeDefined();
  });

  test('beyond the cap stay unknown, and that is said', async () => {
    await begin(1);
    using one = hub.source.follow(settings);
    using two = hub.source.follow({ ...settings, name: 'other' });
    await settle();
    expect([kindOf(settings), kindOf({ ...settings, name: 'other' })]).toEqual(['absent', 'unknown']);
    expect(world.log.lines.find(({ level }) => level === 'error')?.text).toBe(
      'too many objects are followed',
    );
    expect([one, two]).toHaveLength(2);
  });
});

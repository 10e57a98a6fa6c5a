import { silentLogger } from '@selvedge/kit';
import { createManualClock } from '@selvedge/kit/testing';
import type { KubeObject } from '@selvedge/kube';
import type { EndpointSlice } from '@selvedge/kube/types';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type TemporaryStore, createTemporaryStore } from '../../store/testing.ts';
import { type Facts, createFacts } from '../facts/index.ts';
import { createRefresher } from '../refresher/index.ts';
import { createTestReplica } from '../replica/testing.ts';
import type { RunningReplica } from '../replica/index.ts';
import type { ApplyViews, ObjectName } from '../replica/types.ts';
import type { Connectivity } from '../upstream/types.ts';
import { type ReachableNodes, createViews } from './index.ts';
import { endpointOf, sliceOf } from './testing.ts';

const slices = 'discovery.k8s.io/v1/endpointslices';

/** A hub's replica with its views, and a cloud that is in reach or not. */
class World {
  readonly replica: RunningReplica;
  readonly facts: Facts;
  readonly peers = new Set<string>();
  /** Names of what was shown anew. */
  readonly refreshed = new Map<string, Set<string>>();
  readonly clock = createManualClock();
  #views: ApplyViews = (_resource, object) => object;
  #connectivity: Connectivity = { kind: 'online', sinceMs: 0, server: 's' };
  #revision = 0;
  readonly #told = new Set<() => void>();
  readonly #coverages = new Map<string, number>();

  constructor({ store }: TemporaryStore) {
    const applyViews: ApplyViews = (resource, object) => this.#views(resource, object);
    this.replica = createTestReplica(store, {}, { applyViews });
    this.facts = createFacts(
      { nodeName: 'here' },
      { replica: this.replica, machineAddresses: () => [], log: silentLogger },
    );
  }

  async start(): Promise<void> {
    const connectivity = (): Connectivity => this.#connectivity;
    const onChange = (changed: () => void): Disposable => {
      this.#told.add(changed);
      return { [Symbol.dispose]: () => void this.#told.delete(changed) };
    };
    const reachableNodes: ReachableNodes = {
      has: (name) => this.peers.has(name),
      onChange,
    };
    const views = createViews(
      { nodeName: 'here', linkLocalAddress: undefined, port: 1, leadsService: false },
      {
        replica: this.replica,
        facts: this.facts,
        pki: { caBundle: '', onChange },
        upstream: {
          get connectivity() {
            return connectivity();
          },
          onConnectivity: (changed) => onChange(() => changed(connectivity())),
        },
        reachableNodes,
        clock: this.clock,
        log: silentLogger,
      },
    );
    this.#views = (resource, object) =>
      views.reduce(
        (shown, view) => (view.resources.has(resource) ? view.apply(resource, shown) : shown),
        object,
      );
    const replica = {
      reader: (resource: string) => this.replica.reader(resource),
      refresh: (resource: string, names: readonly ObjectName[] = []) => {
        this.refreshed.set(
          resource,
          new Set([...(this.refreshed.get(resource) ?? []), ...names.map(({ name }) => name)]),
        );
        this.replica.refresh(resource, names);
      },
    };
    const refresher = createRefresher({ replica, views, log: silentLogger });
    await refresher.start(new AbortController().signal);
  }

  /** What upstream says now; refreshes that follow are done when it resolves. */
  async put(resource: string, ...objects: readonly KubeObject[]): Promise<void> {
    const id = this.#coverages.get(resource) ?? this.#cover(resource);
    const changes = objects.map((object) => {
      this.#revision += 1;
      const metadata = { ...object.metadata, resourceVersion: String(this.#revision) };
      return { type: 'put' as const, object: { ...object, metadata } };
    });
    this.replica.apply(id, changes, String(this.#revision));
    await this.settled();
  }

  async pod(name: string, ready: boolean, ip = '10.1.0.1'): Promise<void> {
    const pod: KubeObject & Readonly<Record<string, unknown>> = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { namespace: 'shop', name, uid: `uid-${name}` },
      spec: { nodeName: 'here', containers: [] },
      status: { podIPs: [{ ip }], conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] },
    };
    await this.put('v1/pods', pod);
  }

  async connectivity(kind: 'online' | 'offline'): Promise<void> {
    this.#connectivity =
      kind === 'online' ? { kind, sinceMs: 1, server: 's' } : { kind, sinceMs: 1, reason: 'refused' };
    await this.tell();
  }

  async tell(): Promise<void> {
    for (const told of this.#told) told();
    await this.settled();
  }

  async settled(): Promise<void> {
    for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
  }

  /** Addresses of the ready endpoints that are shown. */
  ready(name: string): readonly string[] {
    const shown = this.replica.reader(slices).get({ namespace: 'shop', name });
    const { endpoints = [] } = JSON.parse(shown?.json ?? '{}') as Partial<EndpointSlice>;
    return endpoints
      .filter(({ conditions }) => conditions?.ready === true)
      .flatMap(({ addresses }) => addresses);
  }

  #cover(resource: string): number {
    const { id } = this.replica.addCoverage({
      resource,
      namespace: '',
      labelSelector: '',
      fieldSelector: '',
    });
    this.#coverages.set(resource, id);
    this.replica.relist(id).commit('0');
    return id;
  }
}

const remote = endpointOf('far', { nodeName: 'there', addresses: ['10.2.0.1'] });
const named = (name: string, ...endpoints: Parameters<typeof sliceOf>[0]) =>
  sliceOf(endpoints, { metadata: { ...sliceOf([]).metadata, name } });

let store: TemporaryStore;
let world: World;
beforeEach(async () => {
  store = await createTemporaryStore();
  world = new World(store);
});
afterEach(async () => {
  world.facts[Symbol.dispose]();
  await store[Symbol.asyncDispose]();
});

describe('endpoint truth', () => {
  test('follows the pods of this node, not those that it does not know yet', async () => {
    await world.start();
    await world.put(slices, named('a', endpointOf('web'), remote));
    expect(world.ready('a')).toEqual(['10.1.0.1', '10.2.0.1']);
    await world.pod('web', false);
    expect(world.ready('a')).toEqual(['10.2.0.1']);
    await world.pod('web', true, '10.1.0.9');
    expect(world.ready('a')).toEqual(['10.1.0.9', '10.2.0.1']);
  });

  test('leaves out what may be out of reach while the cloud is away, and a ready one is here, in any slice', async () => {
    await world.start();
    await world.pod('web', true);
    await world.put(slices, named('a', endpointOf('web')), named('b', remote));
    await world.connectivity('offline');
    expect([world.ready('a'), world.ready('b')]).toEqual([['10.1.0.1'], []]);
    await world.pod('web', false);
    expect([world.ready('a'), world.ready('b')]).toEqual([[], ['10.2.0.1']]);
    await world.pod('web', true);
    expect([world.ready('a'), world.ready('b')]).toEqual([['10.1.0.1'], []]);
    await world.connectivity('online');
    expect([world.ready('a'), world.ready('b')]).toEqual([['10.1.0.1'], ['10.2.0.1']]);
  });

  test('takes the cloud at its word after a cut once it may have heard of the other nodes again', async () => {
    await world.start();
    await world.put(slices, named('a', remote));
    await world.connectivity('offline');
    await world.connectivity('online');
    await world.put(slices, named('a', { ...remote, conditions: { ready: false } }));
    expect(world.ready('a')).toEqual(['10.2.0.1']);
    await world.connectivity('offline');
    await world.connectivity('online');
    await world.clock.advance(59_000);
    expect(world.ready('a')).toEqual(['10.2.0.1']);
    await world.clock.advance(1_000);
    await world.settled();
    expect(world.ready('a')).toEqual([]);
    await world.put(slices, named('a', remote));
    await world.put(slices, named('a', { ...remote, conditions: { ready: false } }));
    expect(world.ready('a')).toEqual([]);
  });

  test('holds for Endpoints, of which only those that are concerned are shown anew', async () => {
    const addressOf = (pod: string, nodeName: string, ip: string): object => ({
      ip,
      nodeName,
      targetRef: { kind: 'Pod', namespace: 'shop', name: pod, uid: `uid-${pod}` },
    });
    const [here, there] = [addressOf('web', 'here', '10.1.0.1'), addressOf('far', 'there', '10.2.0.1')];
    const endpointsOf = (name: string, ...addresses: readonly object[]): KubeObject => {
      const metadata = { namespace: 'shop', name };
      const whole = { apiVersion: 'v1', kind: 'Endpoints', metadata, subsets: [{ addresses }] };
      return whole;
    };
    const reader = world.replica.reader('v1/endpoints');
    const subsets = (): unknown =>
      JSON.parse(reader.get({ namespace: 'shop', name: 'web' })?.json ?? '{}').subsets;
    await world.start();
    await world.pod('web', true);
    await world.put('v1/endpoints', endpointsOf('web', here, there), endpointsOf('far', there));
    await world.connectivity('offline');
    expect(subsets()).toEqual([{ addresses: [here] }]);
    world.refreshed.clear();
    await world.pod('web', false);
    expect(subsets()).toEqual([{ addresses: [there], notReadyAddresses: [here] }]);
    expect(world.refreshed.get('v1/endpoints')).toEqual(new Set(['web']));
    await world.pod('web', true);
    await world.connectivity('online');
    expect(subsets()).toEqual([{ addresses: [here, there] }]);
  });

  test('counts a peer that answers as in reach', async () => {
    await world.start();
    await world.pod('web', true);
    await world.put(slices, named('a', endpointOf('web'), remote));
    await world.connectivity('offline');
    expect(world.ready('a')).toEqual(['10.1.0.1']);
    world.peers.add('there');
    await world.tell();
    expect(world.ready('a')).toEqual(['10.1.0.1', '10.2.0.1']);
  });

  test('holds for what was on disk before the start', async () => {
    await world.pod('web', false);
    await world.put(slices, named('a', endpointOf('web'), remote));
    expect(world.ready('a')).toEqual(['10.1.0.1', '10.2.0.1']);
    await world.start();
    await world.settled();
    expect(world.ready('a')).toEqual(['10.2.0.1']);
  });

  test('asks the Service whether it publishes pods that are not ready', async () => {
    await world.start();
    const service: KubeObject & Readonly<Record<string, unknown>> = {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { namespace: 'shop', name: 'web' },
      spec: { publishNotReadyAddresses: true },
    };
    await world.put('v1/services', service);
    await world.pod('web', false);
    await world.put(slices, named('a', endpointOf('web')));
    expect(world.ready('a')).toEqual(['10.1.0.1']);
  });
});

import type { KubeObject } from '@selvedge/kube';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type TemporaryStore, createTemporaryStore } from '../../store/testing.ts';
import { World, slices } from './testing-world.ts';
import { endpointOf, sliceOf } from './testing.ts';

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
  world[Symbol.dispose]();
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

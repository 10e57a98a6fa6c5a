import type { KubeObject } from '@selvedge/kube';
import { describe, expect, it } from 'vitest';
import { createReplicaStore, type ReplicaStore } from './replica-store.ts';
import { createCoveragesWorld, spec } from './testing-world.ts';

const pods = 'v1/pods';
const pod = (name: string, version: number): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { namespace: 'shop', name, uid: name, resourceVersion: String(version) },
});

/** A store for one coverage of a replica, and what it told. */
async function open() {
  const world = await createCoveragesWorld();
  await world.start();
  const record = world.replica.addCoverage(spec(pods));
  const heard: string[] = [];
  const { replica } = world;
  const store: ReplicaStore = createReplicaStore(record, { replica, heard: (what) => heard.push(what) });
  const synced = (): boolean => replica.coverages().some((one) => one.synced);
  return { world, store, heard, synced, [Symbol.asyncDispose]: () => world[Symbol.asyncDispose]() };
}

describe('a list that is taken over', () => {
  it('shows what comes at once, and lets go of the rest only at its end', async () => {
    await using at = await open();
    await at.store.apply([{ type: 'ADDED', object: pod('old', 1) }], '1');
    const list = at.store.beginReplace();
    await list.add(Array.from({ length: 300 }, (_, i) => pod(`p${i}`, 5)));
    expect(at.world.shown(pods).length).toBeGreaterThan(200);
    expect(at.world.shown(pods)).toContain('old');
    await list.commit('9');
    expect(at.world.shown(pods)).toHaveLength(300);
    expect([at.store.upstreamVersion, at.heard, at.synced()]).toEqual(['9', ['change', 'complete'], true]);
  });

  it('leaves out what went while it came', async () => {
    await using at = await open();
    const list = at.store.beginReplace();
    await list.add([pod('a', 5), pod('b', 5)]);
    await list.remove([pod('a', 7)]);
    expect(at.synced()).toBe(false);
    await list.commit('9');
    expect(at.world.shown(pods)).toEqual(['b']);
  });

  it('takes nothing away when it breaks off', async () => {
    await using at = await open();
    await at.store.apply([{ type: 'ADDED', object: pod('old', 1) }], '1');
    const list = at.store.beginReplace();
    await list.add([pod('a', 5)]);
    list.abandon();
    expect(at.world.shown(pods)).toContain('old');
    expect([at.store.upstreamVersion, at.synced()]).toEqual(['1', false]);
  });

  it('of a cluster that went back in time counts', async () => {
    await using at = await open();
    await at.store.apply(
      [
        { type: 'ADDED', object: pod('a', 70) },
        { type: 'ADDED', object: pod('b', 71) },
      ],
      '71',
    );
    at.store.rewind();
    const list = at.store.beginReplace();
    await list.add([pod('a', 5)]);
    await list.commit('9');
    expect(at.world.shown(pods)).toEqual(['a']);
  });
});

it('writes nothing once it is closed', async () => {
  await using at = await open();
  at.store.close();
  expect(() => at.store.apply([{ type: 'ADDED', object: pod('a', 1) }], '1')).toThrow('was dropped');
  expect(() => at.store.beginReplace()).toThrow('was dropped');
  expect(at.world.shown(pods)).toEqual([]);
});

it('hands few objects over at a time where they are large', async () => {
  const pieces: number[] = [];
  const add = (objects: readonly KubeObject[]): void => void pieces.push(objects.length);
  const relist = { add, commit: () => undefined, abandon: () => undefined };
  const replica = { apply: () => undefined, relist: () => relist };
  const store = createReplicaStore({ id: 1, upstreamVersion: '' }, { replica, heard: () => undefined });
  const list = store.beginReplace();
  const large = (i: number): KubeObject => ({
    ...pod(`p${i}`, 5),
    metadata: { annotations: { text: 'x'.repeat(50_000) } },
  });
  await list.add(Array.from({ length: 20 }, (_, i) => large(i)));
  await list.add(Array.from({ length: 100 }, (_, i) => pod(`p${i}`, 5)));
  await list.commit('9');
  expect(pieces).toEqual([6, 6, 6, 64, 38]);
});

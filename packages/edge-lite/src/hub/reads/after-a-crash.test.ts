import type { KubeObject } from '@selvedge/kube';
import { beforeEach, expect, it } from 'vitest';
import { type TemporaryStore, createTemporaryStore } from '../../store/testing.ts';
import { natural } from '../replica/index.ts';
import { createTestReplica } from '../replica/testing.ts';
import type { Replica } from '../replica/types.ts';
import { EventReader, ReadsWorld, podOf } from './testing.ts';

let world: ReadsWorld;
beforeEach(() => {
  world = new ReadsWorld();
});

const watch = async (query: string): Promise<EventReader> =>
  new EventReader(await world.send(`/api/v1/pods?watch=true&${query}`));

/** A list that began at 100, a change at 110, and since then nothing up to 150. */
function quietSince110({ store }: TemporaryStore): Replica {
  const replica = createTestReplica(store);
  const { id } = replica.addCoverage({
    resource: 'v1/pods',
    namespace: '',
    labelSelector: '',
    fieldSelector: '',
  });
  replica.relist(id).commit('100');
  const metadata = { namespace: 'a', name: 'one', uid: 'u', resourceVersion: '110' };
  replica.apply(id, [{ type: 'put', object: { ...podOf(), metadata } }], '110');
  replica.apply(id, [], '150');
  world.replica = replica;
  expect(replica.reader('v1/pods').version).toBe(natural(150n));
  return replica;
}

type Begin = (least: string) => Promise<string | undefined>;

const begins: readonly (readonly [string, Begin])[] = [
  [
    'a list',
    async (least) => {
      const list = (await world.json(`/api/v1/pods?resourceVersion=${least}`)) as KubeObject;
      return list.metadata.resourceVersion;
    },
  ],
  [
    'the end of the initial events',
    async (least) => {
      const query = 'sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true';
      const events = await watch(`${query}&resourceVersion=${least}`);
      expect(await events.next()).toMatchObject({ type: 'ADDED' });
      const bookmark = await events.next();
      await events.close();
      return bookmark?.object.metadata.resourceVersion;
    },
  ],
  [
    'the first bookmark',
    async () => {
      const query = 'sendInitialEvents=false&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true';
      const events = await watch(query);
      const bookmark = await events.next();
      await events.close();
      return bookmark?.object.metadata.resourceVersion;
    },
  ],
];

it.each(begins)('a watch goes on after a crash from %s', async (_what, begin) => {
  await using temporary = await createTemporaryStore();
  quietSince110(temporary);
  const told = await begin('0');
  expect(told).toBe(String(natural(110n)));
  // Nothing of what waits was written.
  const replica = createTestReplica(await temporary.reopen());
  world.replica = replica;
  const events = await watch(`resourceVersion=${told}`);
  const metadata = { namespace: 'a', name: 'one', uid: 'u', resourceVersion: '160' };
  replica.apply(1, [{ type: 'delete', object: { ...podOf(), metadata } }], '160');
  expect(await events.next()).toMatchObject({ type: 'DELETED' });
  await events.close();
});

it.each(begins.slice(0, 2))('%s is not older than was asked for', async (_what, begin) => {
  await using temporary = await createTemporaryStore();
  quietSince110(temporary);
  const least = String(natural(140n));
  expect(await begin(least)).toBe(least);
});

it('a list is not older than the first complete one of what it reads: its watch stays here', async () => {
  await using temporary = await createTemporaryStore();
  const replica = quietSince110(temporary);
  const late = { resource: 'v1/pods', namespace: 'b', labelSelector: '', fieldSelector: '' };
  const { id } = replica.addCoverage(late);
  replica.relist(id).commit('170');
  world.coverages = [late];
  world.id = id;
  const list = (await world.json('/api/v1/namespaces/b/pods?resourceVersion=0')) as KubeObject;
  const { resourceVersion } = list.metadata;
  expect(resourceVersion).toBe(String(natural(170n)));
  world.replica = createTestReplica(await temporary.reopen());
  const path = '/api/v1/namespaces/b/pods?watch=true&allowWatchBookmarks=true';
  const events = new EventReader(await world.send(`${path}&resourceVersion=${resourceVersion}`));
  expect(await events.take(1)).toEqual([`BOOKMARK -@${resourceVersion}`]);
  await events.close();
});

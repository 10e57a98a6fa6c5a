import { type ManualClock, createManualClock } from '@selvedge/kit/testing';
import type { KubeObject } from '@selvedge/kube';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { ObjectBatch, ObjectKey, ObjectRepository } from '../store/index.ts';
import { type Collection, createCollection } from './collection.ts';
import { type TestStore, openTestStore } from './testing.ts';

let files: TestStore;
let clock: ManualClock;
let told: ObjectKey[];
let writes: { readonly durable: boolean; readonly batch: ObjectBatch }[];

let fails = false;

beforeEach(async () => {
  fails = false;
  files = await openTestStore();
  clock = createManualClock();
  told = [];
  writes = [];
});
afterEach(() => files[Symbol.asyncDispose]());

/** The repository, noting what is written and how. */
const recorded = (): ObjectRepository => {
  const { objects } = files.store;
  return {
    ...objects,
    apply(batch, options) {
      if (fails) throw new RangeError('disk full');
      writes.push({ batch, ...options });
      return objects.apply(batch, options);
    },
  };
};
const create = (only?: ObjectKey): Collection =>
  createCollection(
    { name: only === undefined ? 'pods' : 'one', resource: 'pods', ...(only === undefined ? {} : { only }) },
    { objects: recorded(), clock, changed: (keys) => told.push(...keys) },
  );
const pod = (name: string, resourceVersion: string, more: object = {}): KubeObject => ({
  metadata: { namespace: 'default', name, uid: name, resourceVersion },
  ...more,
});
const keyOf = (name: string): ObjectKey => ({ resource: 'pods', namespace: 'default', name });
const names = (): string[] => told.splice(0).map(({ name }) => name);

test('a list is taken as a difference', async () => {
  const collection = create();
  collection.replace([pod('a', '1'), pod('b', '2')], '2');
  expect(names()).toEqual(['a', 'b']);
  collection.replace([pod('a', '1'), pod('c', '3')], '3');
  expect(names()).toEqual(['c', 'b']);
  expect(files.store.objects.keys('pods')).toEqual([keyOf('a'), keyOf('c')]);
  expect(files.store.objects.collection('pods')).toEqual({ resourceVersion: '3', synced: true });
});

test('the last of several changes of one object counts', async () => {
  const collection = create();
  await collection.apply(
    [
      { type: 'ADDED', object: pod('a', '1') },
      { type: 'MODIFIED', object: pod('a', '2', { spec: 1 }) },
      { type: 'ADDED', object: pod('b', '3') },
      { type: 'DELETED', object: pod('b', '4') },
    ],
    '4',
  );
  expect(files.store.objects.get(keyOf('a'))).toMatchObject({ spec: 1 });
  expect(files.store.objects.get(keyOf('b'))).toBeUndefined();
});

test('what a pod is made from is on the medium before anybody is told; its status need not be', async () => {
  const collection = create();
  collection.replace([pod('a', '1', { spec: { x: 1 } })], '1');
  await collection.apply(
    [{ type: 'MODIFIED', object: pod('a', '2', { spec: { x: 1 }, status: { y: 1 } }) }],
    '2',
  );
  await collection.apply(
    [{ type: 'MODIFIED', object: pod('a', '3', { spec: { x: 2 }, status: { y: 1 } }) }],
    '3',
  );
  await collection.apply([{ type: 'DELETED', object: pod('a', '4') }], '4');
  expect(writes.map(({ durable }) => durable)).toEqual([true, false, true, true]);
});

test('bookkeeping of the API server is not kept', async () => {
  const object = pod('a', '1');
  const managedFields = [{ manager: 'kubectl' }];
  create().replace([{ ...object, metadata: { ...object.metadata, managedFields } }], '1');
  expect(files.store.objects.get(keyOf('a'))).toEqual(object);
});

test('bookmarks are written rarely, and when the collection is closed', async () => {
  const collection = create();
  collection.replace([], '1');
  await collection.apply([], '2');
  await clock.advance(299_000);
  await collection.apply([], '3');
  expect(files.store.objects.collection('pods')?.resourceVersion).toBe('1');
  await clock.advance(1_000);
  await collection.apply([], '4');
  expect(files.store.objects.collection('pods')?.resourceVersion).toBe('4');
  await collection.apply([], '5');
  collection.flush();
  collection.flush();
  expect(create().resourceVersion).toBe('5');
  expect(writes).toHaveLength(3);
});

test('a write that fails is not skipped by the next one', async () => {
  const collection = create();
  collection.replace([pod('a', '1')], '1');
  fails = true;
  expect(() => collection.apply([{ type: 'DELETED', object: pod('a', '2') }], '2')).toThrow('disk full');
  fails = false;
  expect(collection.resourceVersion).toBe('1');
  collection.flush();
  expect(files.store.objects.collection('pods')?.resourceVersion).toBe('1');
  expect(files.store.objects.keys('pods')).toEqual([keyOf('a')]);
});

test('a list leaves alone what another list-watch of the resource holds', async () => {
  const mine = create();
  const other = create(keyOf('b'));
  mine.replace([pod('a', '1')], '1');
  other.replace([pod('b', '1')], '1');
  mine.replace([pod('c', '2')], '2');
  expect(files.store.objects.keys('pods')).toEqual([keyOf('b'), keyOf('c')]);
  mine.replace([pod('b', '1'), pod('c', '2')], '3');
  other.replace([], '4');
  expect(files.store.objects.keys('pods')).toEqual([keyOf('b'), keyOf('c')]);
});

test('the version is kept beside the object', async () => {
  create().replace([pod('a', '7')], '9');
  expect(files.store.objects.version(keyOf('a'))).toBe('7');
});

test('bookmarks of a single object are never written', async () => {
  const collection = create(keyOf('a'));
  collection.replace([], '1');
  await clock.advance(600_000);
  await collection.apply([], '2');
  collection.flush();
  expect(writes).toHaveLength(1);
});

test('of a single object, also its absence is told once it is known', async () => {
  const collection = create(keyOf('a'));
  collection.replace([], '1');
  expect(names()).toEqual(['a']);
  collection.replace([], '2');
  expect(names()).toEqual([]);
  collection.replace([pod('a', '3')], '3');
  collection.replace([], '4');
  expect(names()).toEqual(['a', 'a']);
});

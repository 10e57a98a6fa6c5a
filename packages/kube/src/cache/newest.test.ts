import { expect, test } from 'vitest';
import type { KubeObject } from '../object.ts';
import { createNewest } from './newest.ts';
import { createIndexedStore } from './store.ts';

const object = (name: string, resourceVersion: string): KubeObject => ({
  metadata: { name, uid: name, resourceVersion },
});

test('what was written counts until the store has it, or something newer', () => {
  const store = createIndexedStore();
  const newest = createNewest({ capacity: 2 }, store);
  store.replace([object('a', '9')], '9');
  newest.wrote(object('a', '10'));
  expect(newest.get('a')?.metadata.resourceVersion).toBe('10');
  store.apply([{ type: 'MODIFIED', object: object('a', '11') }], '11');
  expect(newest.get('a')?.metadata.resourceVersion).toBe('11');
});

test('what was made counts before the store has it, until it is forgotten', () => {
  const newest = createNewest({ capacity: 2 }, createIndexedStore());
  newest.wrote(object('a', '1'));
  expect(newest.get('a')).toBeDefined();
  newest.forget('a');
  expect(newest.get('a')).toBeUndefined();
});

test('the least recently used is forgotten at the cap', () => {
  const newest = createNewest({ capacity: 1 }, createIndexedStore());
  newest.wrote(object('a', '1'));
  newest.wrote(object('b', '1'));
  expect(newest.get('a')).toBeUndefined();
});

test('what was made and is gone by the time of the answer does not count', () => {
  const store = createIndexedStore();
  const newest = createNewest({ capacity: 2 }, store);
  store.replace([], '12');
  newest.wrote(object('a', '10'));
  newest.wrote(object('b', '13'));
  expect([newest.get('a'), newest.get('b')?.metadata.name]).toEqual([undefined, 'b']);
});

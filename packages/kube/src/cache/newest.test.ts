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

import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type BedDescription, defaultControlPlane } from '../description.ts';
import { type BedStore, createBedStore } from './store.ts';

let root: string;
let store: BedStore;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'beds-'));
  store = createBedStore({ root });
});
afterEach(() => rm(root, { recursive: true }));

const bed = (name: string): BedDescription => ({
  schema: 1,
  name,
  index: 1,
  controlPlane: defaultControlPlane,
  sites: [],
  nodes: [],
});

describe('the store of beds', () => {
  it('gives each bed a network of its own, and the same one again', async () => {
    const names = Array.from({ length: 30 }, (_, position) => `bed-${position}`);
    const indices = await Promise.all(names.map((name) => store.claimIndex(name)));
    expect(new Set(indices).size).toBe(names.length);
    expect(await Promise.all(names.map((name) => store.claimIndex(name)))).toEqual(indices);
  });

  it('gives a network back when the bed is removed', async () => {
    await store.claimIndex('a');
    const taken = await readdir(join(root, '.networks'));
    await store.remove('a');
    expect([taken.length, await readdir(join(root, '.networks'))]).toEqual([1, []]);
  });

  it('knows the beds that were written and not removed', async () => {
    expect(await store.names()).toEqual([]);
    await store.write(bed('b'));
    await store.write(bed('a'));
    expect(await store.names()).toEqual(['a', 'b']);
    expect(await store.read('a')).toEqual(bed('a'));
    await store.remove('a');
    expect([await store.names(), await store.read('a')]).toEqual([['b'], undefined]);
  });

  it('lets one at a time change a bed', async () => {
    const order: string[] = [];
    const first = await store.lock('a');
    const second = store.lock('a').then(async (lock) => {
      order.push('second');
      await lock[Symbol.asyncDispose]();
    });
    order.push('first');
    await first[Symbol.asyncDispose]();
    await second;
    expect(order).toEqual(['first', 'second']);
  });
});

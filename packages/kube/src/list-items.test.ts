import { describe, expect, it } from 'vitest';
import type { KubeObject } from './object.ts';
import { takeItems } from './list-items.ts';
import { type Resource, defineResource } from './resource.ts';
import { resources } from './resources.ts';

const maps = resources.configMaps;
const custom = defineResource({ apiVersion: 'x.io/v1', kind: '', plural: 'things', namespaced: true });

async function* inChunks(text: string, size: number): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

const item = (name: string): object => ({ metadata: { name, resourceVersion: '1' } });
const list = (...names: string[]): string =>
  JSON.stringify({
    kind: 'ConfigMapList',
    apiVersion: 'v1',
    metadata: { resourceVersion: '7', continue: 'next' },
    items: names.map(item),
  });

async function takenFrom(
  chunks: AsyncIterable<Uint8Array>,
  resource: Resource<KubeObject> = maps,
): Promise<{ readonly metadata: object; readonly items: readonly KubeObject[] }> {
  const items: KubeObject[] = [];
  const take = (some: readonly KubeObject[]): void => void items.push(...some);
  const metadata = await takeItems(chunks, { what: 'the list', resource, take });
  return { metadata, items };
}

describe('a list that is taken item by item', () => {
  it.each([1, 7, 10_000])('is the list, typed, from chunks of %i bytes', async (size) => {
    const { metadata, items } = await takenFrom(inChunks(list('a', 'b'), size));
    expect(metadata).toEqual({ resourceVersion: '7', continue: 'next' });
    expect(items).toEqual(['a', 'b'].map((name) => ({ apiVersion: 'v1', kind: 'ConfigMap', ...item(name) })));
  });

  it('may say what it is behind its items, as those of custom resources do', async () => {
    const things = { ...item('a'), apiVersion: 'x.io/v1', kind: 'Thing' };
    const text = JSON.stringify({
      apiVersion: 'x.io/v1',
      items: [things],
      kind: 'ThingList',
      metadata: { resourceVersion: '3' },
    });
    expect(await takenFrom(inChunks(text, 16), custom)).toEqual({
      metadata: { resourceVersion: '3' },
      items: [things],
    });
  });

  it.each(['[]', 'null'])('may be empty: %s', async (items) => {
    const text = `{"kind":"ConfigMapList","metadata":{"resourceVersion":"7"},"items":${items}}`;
    expect(await takenFrom(inChunks(text, 9))).toEqual({ metadata: { resourceVersion: '7' }, items: [] });
  });

  it('is read no further than it is taken', async () => {
    let read = 0;
    async function* counted(): AsyncGenerator<Uint8Array> {
      for await (const chunk of inChunks(list('a', 'b', 'c', 'd'), 60)) {
        read += 1;
        yield chunk;
      }
    }
    const taken: number[] = [];
    const take = async (items: readonly KubeObject[]): Promise<void> => {
      const before = read;
      await Promise.resolve();
      expect(read).toBe(before);
      taken.push(items.length);
    };
    await takeItems(counted(), { what: 'the list', resource: maps, take });
    expect(Math.max(...taken)).toBeLessThan(3);
  });

  it.each([
    ['breaks off', list('a', 'b').slice(0, -2), 'Corrupt'],
    ['is no JSON', '{"items":[{"a":x}]}', 'Corrupt'],
    ['has an item of more than 8 MiB', list('x'.repeat(9 * 1024 * 1024)), 'ResourceExhausted'],
  ])('is refused when it %s', async (_what, text, code) => {
    await expect(takenFrom(inChunks(text, 65_536))).rejects.toMatchObject({ code });
  });
});

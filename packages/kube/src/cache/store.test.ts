import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import type { ConfigMap } from '../gen/types.ts';
import { keyOf } from '../object.ts';
import type { ObjectEvent } from '../watch/event.ts';
import { createIndexedStore, type IndexedStore } from './store.ts';

const map = (name: string, resourceVersion: number, app = 'web'): ConfigMap => ({
  metadata: { namespace: 'n', name, uid: name, resourceVersion: String(resourceVersion), labels: { app } },
});
const create = (): IndexedStore<ConfigMap> =>
  createIndexedStore({ indexers: { app: ({ metadata }) => Object.values(metadata.labels ?? {}) } });

function changesOf(store: IndexedStore<ConfigMap>): string[] {
  const changes: string[] = [];
  store.subscribe(({ kind, object }) => changes.push(`${kind} ${object.metadata.name}`));
  return changes;
}

describe('the store', () => {
  it('takes a list as a difference', () => {
    const store = create();
    store.replace([map('a', 1), map('b', 2), map('c', 3)], '3');
    const changes = changesOf(store);
    const kept = store.get('n/a');
    store.replace([map('a', 1), map('b', 5), map('d', 6)], '6');
    expect(changes).toEqual(['deleted c', 'updated b', 'added d']);
    expect(store.get('n/a')).toBe(kept);
    expect(store.resourceVersion).toBe('6');
  });

  it('tells of an object that was deleted and made again under its name', () => {
    const store = create();
    store.replace([map('a', 1)], '1');
    const changes = changesOf(store);
    const again = map('a', 1);
    store.replace([{ ...again, metadata: { ...again.metadata, uid: 'other' } }], '9');
    expect(changes).toEqual(['updated a']);
  });

  it('finds objects by index, also after they moved and went', () => {
    const store = create();
    store.replace([map('a', 1, 'web'), map('b', 1, 'web')], '1');
    store.apply([{ type: 'MODIFIED', object: map('a', 2, 'db') }], '2');
    expect(store.byIndex('app', 'web').map(keyOf)).toEqual(['n/b']);
    expect(store.byIndex('app', 'db').map(keyOf)).toEqual(['n/a']);
    store.apply([{ type: 'DELETED', object: map('a', 3, 'db') }], '3');
    expect(store.byIndex('app', 'db')).toEqual([]);
    expect(() => store.byIndex('zone', 'x')).toThrow('the store has no indexer zone');
  });

  it('keeps of an object what it is told to keep, for its listeners too', () => {
    const store = createIndexedStore<ConfigMap>({
      keep: ({ metadata: { labels: _labels, ...metadata } }) => ({ metadata }),
    });
    const seen: ConfigMap[] = [];
    store.subscribe(({ object }) => seen.push(object));
    store.replace([map('a', 1)], '1');
    store.apply([{ type: 'DELETED', object: map('a', 2) }], '2');
    const { labels: _labels, ...kept } = map('a', 1).metadata;
    expect(seen).toEqual([{ metadata: kept }, { metadata: { ...kept, resourceVersion: '2' } }]);
  });

  it('tells listeners when the whole batch is in, and no more once they left', () => {
    const store = create();
    const sizes: number[] = [];
    const leave = store.subscribe(() => sizes.push(store.size));
    store.replace([map('a', 1), map('b', 1)], '1');
    leave();
    store.replace([], '2');
    expect(sizes).toEqual([2, 2]);
  });

  it('refuses more objects than its cap', () => {
    const store = createIndexedStore<ConfigMap>({ maxObjects: 1 });
    expect(() => store.replace([map('a', 1), map('b', 1)], '1')).toThrow(
      expect.objectContaining({ code: 'ResourceExhausted' }),
    );
  });

  it('ignores the deletion of what it does not hold', () => {
    const store = create();
    const changes = changesOf(store);
    store.apply([{ type: 'DELETED', object: map('a', 1) }], '1');
    expect(changes).toEqual([]);
  });

  const event = fc.record({
    type: fc.constantFrom('ADDED', 'MODIFIED', 'DELETED'),
    name: fc.constantFrom('a', 'b', 'c', 'd'),
    app: fc.constantFrom('web', 'db'),
  });
  const batch = fc.oneof(
    fc.array(event).map((events) => ({ kind: 'apply' as const, events })),
    fc.array(event).map((events) => ({ kind: 'replace' as const, events })),
  );

  property.prop([fc.array(batch)])(
    'holds what a plain map would, and its changes add up to it',
    (batches) => {
      const store = create();
      const model = new Map<string, ConfigMap>();
      const mirror = new Map<string, ConfigMap>();
      store.subscribe(({ kind, object }) => {
        if (kind === 'deleted') mirror.delete(keyOf(object));
        else mirror.set(keyOf(object), object);
      });
      let version = 0;
      for (const { kind, events } of batches) {
        const objects = events.map(({ type, name, app }): ObjectEvent<ConfigMap> => {
          version += 1;
          return { type, object: map(name, version, app) };
        });
        if (kind === 'replace') model.clear();
        for (const { type, object } of objects) {
          if (type === 'DELETED' && kind === 'apply') model.delete(keyOf(object));
          else model.set(keyOf(object), object);
        }
        if (kind === 'apply') store.apply(objects, String(version));
        else store.replace([...model.values()], String(version));
      }
      const byKey = (all: Iterable<readonly [string, ConfigMap]>): unknown =>
        Object.fromEntries(Array.from(all).toSorted(([a], [b]) => (a < b ? -1 : 1)));
      expect(byKey(Array.from(store.values(), (one) => [keyOf(one), one] as const))).toEqual(byKey(model));
      expect(byKey(mirror)).toEqual(byKey(model));
      const indexed = ['web', 'db'].flatMap((app) => store.byIndex('app', app));
      expect(new Set(indexed)).toEqual(new Set(model.values()));
    },
  );
});

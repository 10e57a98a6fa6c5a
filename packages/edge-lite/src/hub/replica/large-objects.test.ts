import type { KubeObject } from '@selvedge/kube';
import { describe, expect, it } from 'vitest';
import { maxPageText } from '../../store/index.ts';
import { createTemporaryStore } from '../../store/testing.ts';
import { createTestReplica } from './testing.ts';
import type { ObjectName, ResourceReader } from './types.ts';

const resource = 'v1/configmaps';
const length = 20_000;
const count = 60;
const atATime = Math.ceil(maxPageText / length);

const object = (i: number, version = 5): KubeObject & { readonly data: object } => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { namespace: 'n', name: `map-${100 + i}`, uid: String(i), resourceVersion: String(version) },
  data: { text: 'x'.repeat(length), version },
});

/** How many there are on each page, and all names. */
function pagesOf(
  reader: ResourceReader,
  at?: bigint,
): { readonly sizes: readonly number[]; readonly names: readonly string[] } {
  const sizes: number[] = [];
  const names: string[] = [];
  for (let after: ObjectName | undefined; ; ) {
    const page = reader.page({ limit: 50, after, at });
    if (page === 'expired') return { sizes, names: ['expired'] };
    after = page.at(-1);
    if (after === undefined) return { sizes, names };
    sizes.push(page.length);
    names.push(...page.map(({ name }) => name));
  }
}

async function filled() {
  const temporary = await createTemporaryStore();
  const replica = createTestReplica(temporary.store);
  const { id } = replica.addCoverage({ resource, namespace: '', labelSelector: '', fieldSelector: '' });
  const relist = replica.relist(id);
  relist.add(Array.from({ length: count }, (_, i) => object(i)));
  relist.commit('9');
  return {
    replica,
    id,
    reader: replica.reader(resource),
    [Symbol.asyncDispose]: () => temporary[Symbol.asyncDispose](),
  };
}

const names = Array.from({ length: count }, (_, i) => `map-${100 + i}`);

describe('large objects', () => {
  it('are few on a page, now and as they were', async () => {
    await using world = await filled();
    const { replica, id, reader } = world;
    const was = reader.version;
    replica.apply(
      id,
      [
        { type: 'put', object: object(0, 10) },
        { type: 'delete', object: object(1, 11) },
      ],
      '11',
    );
    const [now, then] = [pagesOf(reader), pagesOf(reader, was)];
    expect(now.names).toEqual(names.toSpliced(1, 1));
    expect(then.names).toEqual(names);
    for (const { sizes } of [now, then]) expect(Math.max(...sizes)).toBeLessThanOrEqual(atATime);
  });

  it('are few in one turn of a watch', async () => {
    await using world = await filled();
    const { replica, id, reader } = world;
    const was = reader.version;
    const changes = names.map((_, i) => ({ type: 'put', object: object(i, 10 + i) }) as const);
    replica.apply(id, changes, '200');
    const seen: string[] = [];
    for (let version = was; ; ) {
      const some = reader.changesAfter(version, 100);
      if (some === 'expired' || some.length === 0) break;
      // Each of them tells what was there, too.
      expect(some.length).toBeLessThanOrEqual(Math.ceil(atATime / 2));
      seen.push(...some.map(({ name }) => name));
      version = some.at(-1)?.version ?? 0n;
    }
    expect(seen).toEqual(names);
  });

  it('go all of them when a list or a coverage lets go of them', async () => {
    await using world = await filled();
    const { replica, id, reader } = world;
    const relist = replica.relist(id);
    relist.add([object(3, 20)]);
    relist.commit('30');
    expect(pagesOf(reader).names).toEqual(['map-103']);
    replica.dropCoverage(id);
    expect(pagesOf(reader).names).toEqual([]);
  });
});

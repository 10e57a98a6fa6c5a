import type { KubeObject } from '@selvedge/kube';
import { describe, expect, it } from 'vitest';
import { maxPageText } from '../../store/index.ts';
import { createTemporaryStore } from '../../store/testing.ts';
import { type TestReplicaOptions, createTestReplica } from '../replica/testing.ts';
import type { ObjectName, ResourceReader } from '../replica/types.ts';
import { createMirror } from './mirror.ts';

const resource = 'v1/pods';
const textLength = 8_000;
const count = 110;
const gone = 40;

const pod = (i: number, version: number): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    namespace: 'n',
    name: `pod-${100 + i}`,
    resourceVersion: String(version),
    annotations: { version: String(version), text: 'x'.repeat(textLength) },
  },
});
const podsFrom = (first: number, end: number, version: (i: number) => number): KubeObject[] =>
  Array.from({ length: end - first }, (_, i) => pod(first + i, version(first + i)));

/** What is kept of a pod: its name, and what it was at. */
const pick = ({ metadata }: KubeObject): string => `${metadata.name}@${metadata.annotations?.['version']}`;

/** What a mirror has to keep, from all pages. */
function shownBy(reader: ResourceReader): string[] {
  const picked: string[] = [];
  for (let after: ObjectName | undefined; ; ) {
    const page = reader.page({ limit: 500, after });
    after = page === 'expired' ? undefined : page.at(-1);
    if (page === 'expired' || after === undefined) return picked;
    picked.push(...page.map(({ json }) => pick(JSON.parse(json) as KubeObject)));
  }
}

/** A mirror of many large pods. */
async function mirrored(options: TestReplicaOptions = {}) {
  await using stack = new AsyncDisposableStack();
  const { store } = stack.use(await createTemporaryStore());
  const replica = createTestReplica(store, options);
  const { id } = replica.addCoverage({ resource, namespace: '', labelSelector: '', fieldSelector: '' });
  const relist = replica.relist(id);
  relist.add(podsFrom(0, count, () => 5));
  relist.commit('9');
  const reader = replica.reader(resource);
  const told: number[] = [];
  const mirror = stack.use(createMirror({ reader, pick }, () => void told.push(kept().length)));
  const kept = (): string[] => [...mirror.values()].toSorted();
  const held = stack.move();
  return {
    replica,
    id,
    reader,
    mirror,
    kept,
    /** How many were kept each time that a change was told of. */
    told,
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };
}

const batch = [
  ...podsFrom(0, gone, (i) => 10 + i).map((object) => ({ type: 'delete', object }) as const),
  ...podsFrom(gone, 2 * gone, (i) => 10 + i).map((object) => ({ type: 'put', object }) as const),
];

describe('a mirror', () => {
  it('keeps what is there when it begins, more than one page of it', async () => {
    await using world = await mirrored();
    expect(count * textLength).toBeGreaterThan(maxPageText);
    expect(world.kept()).toEqual(shownBy(world.reader));
    expect(world.kept()).toHaveLength(count);
  });

  it.each([
    ['as far as the history reaches', {}],
    ['also where the history does not reach back', { maxHistoryEntries: 10 }],
  ])('follows the whole of one batch, however large the objects, %s', async (_title, options) => {
    await using world = await mirrored(options);
    const { replica, id, reader, mirror, kept, told } = world;
    replica.apply(id, batch, '200');
    expect(kept()).toEqual(shownBy(reader));
    expect(mirror.get({ namespace: 'n', name: 'pod-139' })).toBeUndefined();
    expect(mirror.get({ namespace: 'n', name: 'pod-140' })).toBe('pod-140@50');
    expect(told).toEqual([count - gone]);
  });

  it('follows the whole of a new list', async () => {
    await using world = await mirrored();
    const { replica, id, reader, kept } = world;
    const relist = replica.relist(id);
    relist.add(podsFrom(gone, count, () => 5));
    relist.commit('200');
    expect(kept()).toEqual(shownBy(reader));
    expect(kept()).toHaveLength(count - gone);
  });

  it('hears nothing any more once it is disposed', async () => {
    await using world = await mirrored();
    const { replica, id, mirror, kept, told } = world;
    mirror[Symbol.dispose]();
    replica.apply(id, batch, '200');
    expect([kept().length, told]).toEqual([count, []]);
  });
});

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SelvedgeError, createMetricsRegistry } from '@selvedge/kit';
import { createManualClock } from '@selvedge/kit/testing';
import type { KubeObject } from '@selvedge/kube';
import { describe, expect, test } from 'vitest';
import { createTemporaryStore } from '../../store/testing.ts';
import type { RunningReplica } from './replica.ts';
import { createTestReplica } from './testing.ts';
import type { CoverageRecord, HeldResource, ObjectName } from './types.ts';
import { natural } from './versions.ts';

const exhausted = expect.objectContaining({ code: 'ResourceExhausted' });

interface Fields {
  readonly name?: string;
  readonly kind?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly status?: object;
  readonly data?: object;
}

const object = (
  version: number,
  { name = 'a', kind = 'Pod', labels = {}, ...rest }: Fields = {},
): KubeObject => ({
  apiVersion: 'v1',
  kind,
  metadata: { namespace: 'n', name, uid: `uid-${name}`, resourceVersion: String(version), labels },
  ...rest,
});

const at = (name = 'a'): ObjectName => ({ namespace: 'n', name });

function cover(replica: RunningReplica, resource: HeldResource, labelSelector = ''): CoverageRecord {
  return replica.addCoverage({ resource, namespace: '', labelSelector, fieldSelector: '' });
}

/** A complete first list. */
function listed(
  replica: RunningReplica,
  resource: HeldResource,
  list: { readonly at: number; readonly items: readonly KubeObject[]; readonly labelSelector?: string },
): number {
  const { id } = cover(replica, resource, list.labelSelector);
  const relist = replica.relist(id);
  relist.add(list.items);
  relist.commit(String(list.at));
  return id;
}

const names = (replica: RunningReplica, resource: HeldResource): readonly string[] => {
  const page = replica.reader(resource).page({ limit: 1000 });
  return page === 'expired' ? [] : page.map(({ name }) => name);
};

const inFiles = async (folder: string, text: string): Promise<boolean> => {
  const files = ['state.db', 'state.db-wal'].map((name) => readFile(join(folder, name)));
  return (await Promise.all(files)).some((bytes) => bytes.includes(text));
};

describe('coverages', () => {
  test('the same spec is the same record, also after a restart', async () => {
    await using temporary = await createTemporaryStore();
    const replica = createTestReplica(temporary.store);
    const first = cover(replica, 'v1/pods');
    expect(cover(replica, 'v1/pods')).toEqual(first);
    expect(cover(replica, 'v1/pods', 'x').id).not.toBe(first.id);
    listed(replica, 'v1/pods', { at: 9, items: [object(5)] });
    const again = createTestReplica(await temporary.reopen());
    expect(again.coverages()).toEqual([
      { ...first, upstreamVersion: '9', synced: true, completeSince: `${again.reader('v1/pods').version}` },
      expect.objectContaining({ labelSelector: 'x', upstreamVersion: '', synced: false }),
    ]);
    expect(again.resources()).toEqual(['v1/pods']);
  });

  test('an object goes with the last coverage that holds it', async () => {
    await using temporary = await createTemporaryStore();
    const replica = createTestReplica(temporary.store);
    const labelled = object(5, { labels: { x: '' } });
    const items = [labelled, object(6, { name: 'b' })];
    const all = listed(replica, 'v1/pods', { at: 9, items });
    const some = listed(replica, 'v1/pods', { at: 9, items: [labelled], labelSelector: 'x' });
    replica.dropCoverage(all);
    expect(names(replica, 'v1/pods')).toEqual(['a']);
    replica.apply(some, [{ type: 'delete', object: object(10, { labels: { x: '' } }) }], '10');
    expect(names(replica, 'v1/pods')).toEqual([]);
    replica.dropCoverage(some);
    expect(createTestReplica(await temporary.reopen()).coverages()).toEqual([]);
  });

  test('a list takes away what it had not, but not what is newer than it', async () => {
    await using temporary = await createTemporaryStore();
    const replica = createTestReplica(temporary.store);
    const many = Array.from({ length: 500 }, (_, index) => object(5, { name: `many-${index}` }));
    const id = listed(replica, 'v1/pods', { at: 9, items: [object(5), ...many] });
    const relist = replica.relist(id);
    relist.add([object(5)]);
    replica.learn('v1/pods', object(21, { name: 'new' }));
    replica.learn('v1/pods', object(19, { name: 'old' }));
    relist.commit('20');
    expect(names(replica, 'v1/pods')).toEqual(['a', 'new']);
  });

  test('rows that say so already are not written again', async () => {
    await using temporary = await createTemporaryStore();
    const replica = createTestReplica(temporary.store);
    const items = Array.from({ length: 100 }, (_, index) => object(5, { name: `many-${index}` }));
    const id = listed(replica, 'v1/pods', { at: 9, items });
    const { version } = replica.reader('v1/pods');
    const wal = async (): Promise<Buffer> => readFile(join(temporary.folder, 'state.db-wal'));
    const before = (await wal()).length;
    const relist = replica.relist(id);
    relist.add(items);
    relist.commit('9');
    replica.apply(
      id,
      items.map((one) => ({ type: 'put' as const, object: one })),
      '9',
    );
    expect((await wal()).length).toBe(before);
    expect(replica.reader('v1/pods').version).toBe(version);
  });

  test('beyond the size of the store nothing further is covered', async () => {
    await using temporary = await createTemporaryStore();
    const replica = createTestReplica(temporary.store, { maxStoreBytes: 350_000 });
    const { id } = cover(replica, 'v1/pods');
    const big = { data: { text: 'x'.repeat(150_000) } };
    replica.relist(id).add([object(1, big)]);
    replica.relist(id).add([object(2, { ...big, name: 'b' })]);
    expect(() => replica.relist(id).add([object(3, { ...big, name: 'c' })])).toThrow(exhausted);
    expect(() => cover(replica, 'v1/nodes')).toThrow(exhausted);
    expect(cover(replica, 'v1/pods').id).toBe(id);
  });
});

describe('learned answers', () => {
  test('reach the coverages that take them, and leave the others', async () => {
    await using temporary = await createTemporaryStore();
    const replica = createTestReplica(temporary.store);
    const labelled = object(5, { labels: { x: '' } });
    listed(replica, 'v1/pods', { at: 9, items: [labelled], labelSelector: 'x' });
    expect(replica.learn('v1/pods', object(10, { name: 'other' }))).toBeUndefined();
    expect(names(replica, 'v1/pods')).toEqual(['a']);
    replica.learn('v1/pods', object(11));
    expect(names(replica, 'v1/pods')).toEqual([]);
    replica.learn('v1/pods', { ...labelled, metadata: { ...labelled.metadata, resourceVersion: '12' } });
    expect(names(replica, 'v1/pods')).toEqual(['a']);
  });

  test('that are older than what is known change nothing and are answered with what is known', async () => {
    await using temporary = await createTemporaryStore();
    const replica = createTestReplica(temporary.store);
    listed(replica, 'v1/pods', { at: 9, items: [object(8, { status: { n: 8 } })] });
    expect(replica.learn('v1/pods', object(7, { status: { n: 7 } }))).toMatchObject({ status: { n: 8 } });
  });

  test('of something that has gone meanwhile bring nothing back', async () => {
    await using temporary = await createTemporaryStore();
    const replica = createTestReplica(temporary.store);
    const id = listed(replica, 'v1/pods', { at: 9, items: [object(5)] });
    replica.apply(id, [{ type: 'delete', object: object(11) }], '11');
    expect(replica.learn('v1/pods', object(5))).toBeUndefined();
    expect(names(replica, 'v1/pods')).toEqual([]);
    replica.learn('v1/pods', object(12));
    expect(names(replica, 'v1/pods')).toEqual(['a']);
  });

  test('bring the metadata-only copy along, which is never taken for the whole', async () => {
    await using temporary = await createTemporaryStore();
    const replica = createTestReplica(temporary.store);
    listed(replica, 'v1/pods;metadata', { at: 9, items: [] });
    replica.learn('v1/pods', object(10, { status: { n: 1 } }));
    expect(replica.base('v1/pods;metadata', at())).toEqual({
      kind: 'PartialObjectMetadata',
      apiVersion: 'meta.k8s.io/v1',
      metadata: object(10).metadata,
    });
    expect(replica.reader('v1/pods').get(at())).toBeUndefined();
  });
});

describe('overlays', () => {
  test('have a cap in number and in bytes, which a known one may be changed under', async () => {
    await using temporary = await createTemporaryStore();
    const replica = createTestReplica(temporary.store, { maxOverlays: 1, maxOverlayBytes: 2000 });
    listed(replica, 'v1/pods', { at: 9, items: [object(5), object(6, { name: 'b' })] });
    const put = (name: string, phase: string): unknown =>
      replica.putOverlay({
        resource: 'v1/pods',
        at: at(name),
        current: object(5, { name, status: { phase } }),
      });
    put('a', 'one');
    put('a', 'two');
    expect(() => put('b', 'one')).toThrow(exhausted);
    expect(() => put('a', 'x'.repeat(3000))).toThrow(exhausted);
    expect(replica.overlays()).toMatchObject([{ ...at(), current: { status: { phase: 'two' } } }]);
    expect(replica.overlays()).toEqual(createTestReplica(await temporary.reopen()).overlays());
  });

  test('are not shown on another object of the same name', async () => {
    await using temporary = await createTemporaryStore();
    const replica = createTestReplica(temporary.store);
    const id = listed(replica, 'v1/pods', { at: 9, items: [object(5)] });
    const current = object(5, { status: { phase: 'local' } });
    replica.putOverlay({ resource: 'v1/pods', at: at(), current });
    const other = object(10);
    const put = { ...other, metadata: { ...other.metadata, uid: 'another' } };
    replica.apply(id, [{ type: 'put', object: put }], '10');
    expect(replica.reader('v1/pods').get(at())?.json).not.toContain('local');
    replica.settleOverlay('v1/pods', at(), undefined);
    expect(replica.overlays()).toEqual([]);
  });
});

test('while the disk takes nothing no local change is acknowledged, and what was replayed is settled all the same', async () => {
  await using temporary = await createTemporaryStore();
  const { replica: store } = temporary.store;
  let full = false;
  const write: typeof store.file.write = (options, work) => {
    if (full && options.durable) throw new SelvedgeError('full', { code: 'ResourceExhausted' });
    return store.file.write(options, work);
  };
  const replica = createTestReplica(
    temporary.store,
    {},
    { store: { ...store, file: { ...store.file, write } } },
  );
  const id = listed(replica, 'v1/pods', { at: 9, items: [object(5), object(6, { name: 'b' })] });
  const put = (name: string): unknown =>
    replica.putOverlay({
      resource: 'v1/pods',
      at: at(name),
      current: object(5, { name, status: { phase: 'local' } }),
    });
  put('a');
  full = true;
  const { version } = replica.reader('v1/pods');
  expect(() => put('b')).toThrow(exhausted);
  expect(replica.reader('v1/pods').version).toBe(version);
  expect(replica.overlays()).toHaveLength(1);
  expect(replica.reader('v1/pods').get(at('b'))?.json).not.toContain('local');
  replica.settleOverlay('v1/pods', at(), object(10, { status: { phase: 'confirmed' } }));
  expect(replica.overlays()).toEqual([]);
  replica.apply(id, [{ type: 'delete', object: object(11) }], '11');
  expect(names(replica, 'v1/pods')).toEqual(['b']);
});

describe('on flash', () => {
  test('there are no leases', async () => {
    await using temporary = await createTemporaryStore();
    const leases = 'coordination.k8s.io/v1/leases';
    const replica = createTestReplica(temporary.store);
    listed(replica, leases, { at: 9, items: [object(5, { kind: 'Lease', name: 'find-me' })] });
    expect(names(replica, leases)).toEqual(['find-me']);
    await replica.stop();
    expect(await inFiles(temporary.folder, 'find-me')).toBe(false);
    const again = createTestReplica(await temporary.reopen());
    expect(again.coverages()).toMatchObject([{ resource: leases, upstreamVersion: '', synced: false }]);
  });

  const node = (version: number, beat: string, ready = 'True'): KubeObject =>
    object(version, {
      kind: 'Node',
      status: { conditions: [{ type: 'Ready', status: ready, lastHeartbeatTime: beat }] },
    });

  test('there is no heartbeat of a Node until something real changes, or much later', async () => {
    await using temporary = await createTemporaryStore();
    const clock = createManualClock();
    const replica = createTestReplica(temporary.store, { clock });
    await replica.start(new AbortController().signal);
    const id = listed(replica, 'v1/nodes', { at: 9, items: [node(5, 'beat-1')] });
    const beat = (version: number, text: string, ready?: string): void =>
      replica.apply(id, [{ type: 'put', object: node(version, text, ready) }], String(version));
    beat(10, 'beat-2');
    beat(11, 'beat-3');
    expect(replica.reader('v1/nodes').get(at())?.json).toContain('beat-3');
    expect(await inFiles(temporary.folder, 'beat-3')).toBe(false);
    beat(12, 'beat-4', 'False');
    expect(await inFiles(temporary.folder, 'beat-4')).toBe(true);
    beat(13, 'beat-5', 'False');
    expect(await inFiles(temporary.folder, 'beat-5')).toBe(false);
    await clock.advance(20 * 60_000);
    expect(await inFiles(temporary.folder, 'beat-5')).toBe(true);
    await replica.stop();
  });

  test('secrets are sealed, as they are and as they are shown', async () => {
    await using temporary = await createTemporaryStore();
    const applyViews = (_resource: string, one: KubeObject): KubeObject => ({
      ...one,
      metadata: { ...one.metadata, annotations: { viewed: 'b3BlbnNlc2FtZQ' } },
    });
    const replica = createTestReplica(temporary.store, {}, { applyViews });
    const secret = object(5, { kind: 'Secret', data: { password: 'b3BlbnNlc2FtZQ' } });
    listed(replica, 'v1/secrets', { at: 9, items: [secret] });
    await replica.stop();
    expect(await inFiles(temporary.folder, 'b3BlbnNlc2FtZQ')).toBe(false);
    const again = createTestReplica(await temporary.reopen());
    expect(again.base('v1/secrets', at())).toEqual(secret);
  });
});

test('a watch from a list that upstream answered misses nothing that the list had not', async () => {
  await using temporary = await createTemporaryStore();
  const replica = createTestReplica(temporary.store, { maxHistoryEntries: 3 });
  const reader = replica.reader('v1/pods');
  expect(replica.listVersion('v1/pods', '7')).toBe(natural(7n).toString());
  const id = listed(replica, 'v1/pods', { at: 9, items: [object(5)] });
  const put = (version: number): void =>
    replica.apply(id, [{ type: 'put', object: object(version, { status: { version } }) }], String(version));
  const told = (list: string): readonly (string | undefined)[] | 'expired' => {
    const changes = reader.changesAfter(BigInt(replica.listVersion('v1/pods', list)), 100);
    if (changes === 'expired') return 'expired';
    return changes.map(({ after }) => (JSON.parse(after ?? '{}') as KubeObject).metadata.resourceVersion);
  };
  expect(told('9')).toEqual([]);
  for (const version of [10, 11, 12]) put(version);
  expect(told('12')).toEqual([]);
  expect(told('10')).toEqual([11n, 12n].map((version) => natural(version).toString()));
  put(13);
  expect(told('10')).toEqual([11n, 12n, 13n].map((version) => natural(version).toString()));
  expect(told('9')).toBe('expired');
});

test('a resource that fills throws out no watch of another that has not read on, within reason', async () => {
  await using temporary = await createTemporaryStore();
  const replica = createTestReplica(temporary.store, { maxHistoryEntries: 3, maxUnreadHistoryEntries: 9 });
  const reader = replica.reader('v1/pods');
  const id = listed(replica, 'v1/pods', { at: 9, items: [] });
  let place = reader.version;
  replica.apply(id, [{ type: 'put', object: object(10) }], '10');
  const fill = (from: number, count: number): void => {
    const items = Array.from({ length: count }, (_, i) => object(from + i, { name: `filled-${from + i}` }));
    replica.relist(cover(replica, 'v1/secrets').id).add(items);
  };
  using reads = reader.subscribe(
    () => undefined,
    () => place,
  );
  fill(20, 7);
  expect(reader.changesAfter(place, 10)).toHaveLength(1);
  const before = place;
  place = reader.version;
  fill(30, 1);
  expect(reader.changesAfter(before, 10)).toBe('expired');
  replica.apply(id, [{ type: 'put', object: object(31, { status: {} }) }], '31');
  fill(40, 12);
  expect(reader.changesAfter(place, 10)).toBe('expired');
});

test('a fresh database answers versions of an earlier one with 410', async () => {
  const versionsOf = async (seed: number): Promise<readonly [bigint, boolean, boolean]> => {
    await using temporary = await createTemporaryStore();
    const replica = createTestReplica(temporary.store, { seed });
    const id = listed(replica, 'v1/pods', { at: 9, items: [object(5)] });
    const reader = replica.reader('v1/pods');
    const { version } = reader;
    replica.apply(id, [], '10');
    const resumes = (from: bigint): boolean => reader.changesAfter(from, 1) !== 'expired';
    return [version, resumes(version), resumes(natural(9n))];
  };
  const [first, second] = [await versionsOf(1), await versionsOf(2)];
  expect(first.slice(1)).toEqual([true, false]);
  expect(first[0]).not.toBe(second[0]);
});

test('what it holds is counted', async () => {
  await using temporary = await createTemporaryStore();
  const metrics = createMetricsRegistry();
  const replica = createTestReplica(temporary.store, {}, { metrics });
  listed(replica, 'v1/pods', { at: 9, items: [object(5), object(6, { name: 'b' })] });
  expect(metrics.render()).toContain('selvedge_replica_objects{resource="v1/pods"} 2');
  expect(metrics.render()).toContain('selvedge_replica_degraded 0');
});

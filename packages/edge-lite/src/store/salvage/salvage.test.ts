import { existsSync } from 'node:fs';
import { open, readFile, rename, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fc, test as property } from '@fast-check/vitest';
import { hasCode } from '@selvedge/kit';
import { describe, expect, test } from 'vitest';
import type { ReplicaRow } from '../replica/index.ts';
import type { RuntimeKind } from '../runtime.ts';
import type { Store } from '../store.ts';
import { type TemporaryStore, createTemporaryStore } from '../testing.ts';

const pods: RuntimeKind<{ readonly image: string; readonly filler: string }> = { name: 'pod' };
const filler = 'x'.repeat(900);
const count = 60;

const rowOf = (id: number): ReplicaRow => ({
  id,
  resource: id % 3 === 0 ? 'v1/secrets' : 'v1/pods',
  namespace: 'default',
  name: `p${id}`,
  upstreamVersion: String(100 + id),
  version: BigInt(100 + id) << 20n,
  body: JSON.stringify({ id, filler }),
  shown: undefined,
});

function fill({ runtime, replica: { file } }: Store): void {
  for (let id = 1; id <= count; id += 1)
    runtime.put(pods, { key: `c${id}`, document: { image: `i${id}`, filler } }, { durable: false });
  file.write({ durable: true }, () => {
    const all = { namespace: '', labelSelector: '', fieldSelector: '', upstreamVersion: '900', synced: true };
    file.coverages.put({ id: 1, resource: 'v1/pods', ...all });
    file.coverages.put({ id: 2, resource: 'v1/secrets', ...all });
    const order = { version: 900n << 20n, lastEntry: 900n << 20n, reserved: 950n << 20n };
    for (const resource of ['v1/pods', 'v1/secrets']) file.orders.put({ resource, ...order });
    for (let id = 1; id <= count; id += 1) {
      file.rows.put(rowOf(id));
      file.members.hold(id, id % 3 === 0 ? 2 : 1);
    }
  });
}

/** Everything that is still there is as it was; what a coverage claims to hold as a whole is whole. */
function expectTruth({ runtime, replica: { file } }: Store): void {
  for (const { key, document } of runtime.list(pods))
    expect(document).toEqual({ image: `i${key.slice(1)}`, filler });
  const rows = ['v1/pods', 'v1/secrets'].flatMap((resource) =>
    file.rows.page(resource, { namespace: undefined, after: undefined, limit: 1000 }),
  );
  for (const row of rows) expect(row).toEqual(rowOf(row.id));
  for (const { id, synced } of file.coverages.all()) {
    const whole = Array.from({ length: count }, (_, at) => at + 1).filter(
      (at) => (at % 3 === 0 ? 2 : 1) === id,
    );
    const held = file.members.rowsOf(id, 0, 1000);
    expect(synced ? held : whole).toEqual(whole);
    for (const at of held) expect(file.rows.byId(at)).toBeDefined();
  }
  for (const { resource, version } of file.orders.all())
    expect(rows.filter((row) => row.resource === resource && row.version > version)).toEqual([]);
}

const pathOf = ({ folder }: TemporaryStore): string => join(folder, 'state.db');

/** As SQLite writes a positive number of three bytes, big end first. */
function sumOf(row: number, coverage: number): readonly number[] {
  const sum = row * 40_503 + coverage * 30_029;
  return [sum >> 16, (sum >> 8) & 0xff, sum & 0xff];
}

describe('a damaged state file', () => {
  property.prop(
    [
      fc.array(fc.tuple(fc.nat(1_000_000), fc.integer({ min: 1, max: 255 }), fc.constantFrom(1, 1, 1, 600)), {
        minLength: 1,
        maxLength: 4,
      }),
      fc.constantFrom('node', 'better'),
    ],
    { numRuns: 40 },
  )(
    'with flipped bytes anywhere is read as it was or not at all, at the start or while running',
    async (flips, driver) => {
      await using temporary = await createTemporaryStore({ driver });
      fill(temporary.store);
      temporary.store.close();
      const path = pathOf(temporary);
      const bytes = await readFile(path);
      for (const [at, mask, length] of flips)
        for (
          let next = at % bytes.length;
          next < Math.min(bytes.length, (at % bytes.length) + length);
          next += 1
        )
          bytes[next] = (bytes[next] ?? 0) ^ mask;
      await writeFile(path, bytes);
      const store = await temporary.reopen();
      try {
        expectTruth(store);
      } catch (error) {
        expect(hasCode(error, 'Corrupt')).toBe(true);
        // At once: who waits for a report that never comes would run on with the damage.
        await expect(Promise.race([store.failed, Promise.resolve('unreported')])).rejects.toBe(error);
        const again = await temporary.reopen();
        expect(again.salvaged).toBeDefined();
        expectTruth(again);
      }
    },
    120_000,
  );

  property.prop([fc.nat(1_000_000), fc.constantFrom('node', 'better')], { numRuns: 20 })(
    'that was cut off gives back what is left',
    async (length, driver) => {
      await using temporary = await createTemporaryStore({ driver });
      fill(temporary.store);
      temporary.store.close();
      const path = pathOf(temporary);
      const { size } = await stat(path);
      await truncate(path, length % size);
      expectTruth(await temporary.reopen());
    },
    60_000,
  );

  test('loses the rows of a bad page, not those behind it; who lost one is not complete any more', async () => {
    await using temporary = await createTemporaryStore();
    fill(temporary.store);
    temporary.store.close();
    const path = pathOf(temporary);
    const bytes = await readFile(path);
    const page = Math.floor(bytes.indexOf('"id":31,') / 4096);
    bytes.fill(0xff, page * 4096, (page + 1) * 4096);
    await writeFile(path, bytes);
    const store = await temporary.reopen();
    const { file } = store.replica;
    const left = file.rows.page('v1/pods', { namespace: undefined, after: undefined, limit: 1000 });
    expect(left.length).toBeGreaterThan(30);
    expect(left.length).toBeLessThan(40);
    expect(store.runtime.list(pods)).toHaveLength(count);
    expect(file.coverages.all()[0]).toMatchObject({ id: 1, synced: false, upstreamVersion: '' });
    expect(file.orders.all()[0]).toMatchObject({ version: 950n << 20n, lastEntry: 950n << 20n });
    expectTruth(store);
  });

  test.each([
    ['a column', 'upstream_version'],
    ['the kind of an index', 'index'],
  ])('whose schema has another name of %s loses nothing', async (_what, name) => {
    await using temporary = await createTemporaryStore();
    fill(temporary.store);
    temporary.store.close();
    const path = pathOf(temporary);
    const bytes = await readFile(path);
    const at = bytes.indexOf(name);
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    await writeFile(path, bytes);
    const store = await temporary.reopen();
    expect(store.salvaged?.tables.filter(({ complete }) => !complete)).toEqual([]);
    expect(store.runtime.list(pods)).toHaveLength(count);
    expect(store.replica.file.members.rowsOf(2, 0, 1000)).toHaveLength(count / 3);
    expectTruth(store);
  });

  test('that moved an object to another coverage is not taken for complete', async () => {
    await using temporary = await createTemporaryStore();
    fill(temporary.store);
    temporary.store.close();
    const path = pathOf(temporary);
    const bytes = await readFile(path);
    // The row of the table itself; its two indexes have the numbers too.
    const member = bytes.indexOf(Buffer.from([51, 2, ...sumOf(51, 2)]));
    expect(member).toBeGreaterThan(0);
    bytes[member] = 50;
    await writeFile(path, bytes);
    const store = await temporary.reopen();
    expect(store.salvaged?.tables.find(({ table }) => table === 'replica_members')).toMatchObject({
      kept: count - 1,
      complete: false,
    });
    expect(store.replica.file.coverages.all().map(({ synced }) => synced)).toEqual([false, false]);
    expectTruth(store);
  });

  test('whose rescue was interrupted is rescued again, or the rescue finished', async () => {
    await using temporary = await createTemporaryStore();
    fill(temporary.store);
    temporary.store.close();
    const path = pathOf(temporary);
    await writeFile(`${path}.salvaging`, 'half');
    expectTruth(await temporary.reopen());
    expect(existsSync(`${path}.salvaging`)).toBe(false);
    temporary.store.close();
    await rename(path, `${path}.salvaged`);
    const store = await temporary.reopen();
    expectTruth(store);
    expect(store.runtime.list(pods)).toHaveLength(count);
  });

  test('that shows only while it runs ends the process, and the next start saves the rest', async () => {
    await using temporary = await createTemporaryStore();
    fill(temporary.store);
    temporary.store.close();
    const path = pathOf(temporary);
    const at = (await readFile(path)).indexOf('"id":40,');
    const handle = await open(path, 'r+');
    await handle.write('#', at);
    await handle.close();
    const store = await temporary.reopen();
    expect(store.salvaged).toBeUndefined();
    expect(() => store.replica.file.rows.byId(40)).toThrow(expect.objectContaining({ code: 'Corrupt' }));
    await expect(store.failed).rejects.toMatchObject({ code: 'Corrupt' });
    const again = await temporary.reopen();
    expect(again.salvaged?.tables.find(({ table }) => table === 'replica_rows')).toMatchObject({
      kept: count - 1,
      complete: false,
    });
    expectTruth(again);
    expect((await temporary.reopen()).salvaged).toBeUndefined();
  });
});

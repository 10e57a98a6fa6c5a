import { spawn } from 'node:child_process';
import { copyFile, mkdtemp, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fc, test as property } from '@fast-check/vitest';
import { expect } from 'vitest';
import type { RuntimeKind } from './runtime.ts';
import { type Store, openStore } from './store.ts';
import { createTemporaryStore } from './testing.ts';

const note: RuntimeKind<number> = { name: 'note' };

/** Writes numbers durably, goes on where it was, and says each when it is on disk. Ends when it is killed. */
const program = `
  import { openStore } from '${new URL('./store.ts', import.meta.url).href}';
  const [path, sealKeyPath] = process.argv.slice(1);
  const { runtime } = await openStore({ path, sealKeyPath, driver: 'node' });
  for (let next = runtime.list({ name: 'note' }).length + 1; ; next += 1) {
    runtime.put({ name: 'note' }, { key: String(next).padStart(9, '0'), document: next }, { durable: true });
    await new Promise((resolve) => process.stdout.write(next + '\\n', resolve));
  }`;

const pathsIn = (folder: string): { readonly path: string; readonly sealKeyPath: string } => ({
  path: join(folder, 'state.db'),
  sealKeyPath: join(folder, 'seal.key'),
});
const openIn = (folder: string): Promise<Store> => openStore({ ...pathsIn(folder), driver: 'node' });

/** Kills a process that writes and acknowledges, `after` lines later; the last line that it said. */
async function killedAfter(folder: string, lines: number): Promise<number> {
  const { path, sealKeyPath } = pathsIn(folder);
  const args = ['--input-type=module', '-e', program, path, sealKeyPath];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const gone = new Promise((resolve) => child.once('exit', resolve));
  let last = 0;
  let seen = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    last = Number(line);
    seen += 1;
    if (seen === lines) child.kill('SIGKILL');
  }
  await gone;
  return last;
}

property.prop([fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 2, maxLength: 4 })], { numRuns: 2 })(
  'a process that is killed at any moment has lost nothing that it acknowledged',
  async (moments) => {
    const folder = await mkdtemp(join(tmpdir(), 'kill-'));
    try {
      for (const moment of moments) {
        const acknowledged = await killedAfter(folder, moment);
        const store = await openIn(folder);
        const held = store.runtime.list(note).map(({ document }) => document);
        store.close();
        expect(store.salvaged).toBeUndefined();
        expect(held.length).toBeGreaterThanOrEqual(acknowledged);
        expect(held.toSorted((a, b) => a - b)).toEqual(held.map((_, at) => at + 1));
      }
    } finally {
      await rm(folder, { recursive: true });
    }
  },
  60_000,
);

interface Moment {
  readonly durable: boolean;
  readonly walBytes: number;
}

property.prop([fc.array(fc.boolean(), { minLength: 3, maxLength: 30 }), fc.nat(), fc.boolean()], {
  numRuns: 60,
})(
  'a log that lost its unsynced end, or has rubbish there, keeps every durable write and no half one',
  async (writes, cut, rubbish) => {
    await using temporary = await createTemporaryStore();
    const wal = join(temporary.folder, 'state.db-wal');
    const moments: Moment[] = [];
    for (const [at, durable] of writes.entries()) {
      temporary.store.runtime.put(note, { key: String(at).padStart(3, '0'), document: at }, { durable });
      moments.push({ durable, walBytes: (await stat(wal)).size });
    }
    // What was synced is on the medium; of what comes behind it any part may be missing.
    const last = moments.findLastIndex(({ durable }) => durable);
    const synced = moments[last]?.walBytes ?? 0;
    const end = moments.at(-1)?.walBytes ?? 0;
    const kept = synced + (end > synced ? cut % (end - synced + 1) : 0);
    const folder = await mkdtemp(join(tmpdir(), 'cut-'));
    try {
      for (const name of ['state.db', 'state.db-wal'])
        await copyFile(join(temporary.folder, name), join(folder, name));
      await copyFile(join(temporary.folder, 'pki', 'seal.key'), join(folder, 'seal.key'));
      const copy = join(folder, 'state.db-wal');
      if (rubbish) {
        const bytes = await readFile(copy);
        bytes.fill(0x5a, kept);
        await writeFile(copy, bytes);
      } else await truncate(copy, kept);
      const store = await openIn(folder);
      const held = store.runtime.list(note).map(({ document }) => document);
      store.close();
      expect(store.salvaged).toBeUndefined();
      expect(held).toEqual(held.map((_, at) => at));
      expect(held.length).toBeGreaterThan(last);
    } finally {
      await rm(folder, { recursive: true });
    }
  },
  60_000,
);

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { OpenDatabase } from './driver.ts';
import { loadDriver } from './drivers.ts';

describe.each(['better', 'node'] as const)('driver %s', (name) => {
  let folder = '';
  let open: OpenDatabase;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'driver-'));
    open = await loadDriver(name);
  });
  afterEach(() => rm(folder, { recursive: true }));

  test('values come back as they went in', () => {
    const database = open(':memory:');
    database.exec('CREATE TABLE t (a TEXT, b INTEGER, c BLOB, d TEXT)');
    const bytes = Uint8Array.of(0, 255, 7);
    expect(database.prepare('INSERT INTO t VALUES (?, ?, ?, ?)').run('é', 42, bytes, null)).toBe(1);
    const row = database.prepare('SELECT * FROM t WHERE b = ?').get(42);
    expect({ ...row, c: Array.from(row?.['c'] instanceof Uint8Array ? row['c'] : []) }).toEqual({
      a: 'é',
      b: 42,
      c: [0, 255, 7],
      d: null,
    });
    expect(database.prepare('SELECT a FROM t').all()).toHaveLength(1);
    expect(database.prepare('SELECT a FROM t WHERE b = 0').get()).toBeUndefined();
    database.close();
    database.close();
  });

  test('a statement that SQLite refuses is told as ours, with the cause', () => {
    const database = open(':memory:');
    expect(() => database.prepare('SELECT nothing FROM nowhere')).toThrow(
      expect.objectContaining({ code: 'Internal', cause: expect.any(Error) }),
    );
    database.close();
  });

  test('a file that is no database is corrupt', async () => {
    const path = join(folder, 'state.db');
    await writeFile(path, 'this is not a database, but it is long enough to be read as one'.repeat(50));
    expect(() => open(path).prepare('PRAGMA integrity_check').get()).toThrow(
      expect.objectContaining({ code: 'Corrupt' }),
    );
  });

  test('a second opener of a locked file is told so', () => {
    const path = join(folder, 'state.db');
    const first = open(path);
    first.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; CREATE TABLE t (a TEXT)');
    const second = open(path);
    expect(() => second.exec('CREATE TABLE u (a TEXT)')).toThrow(
      expect.objectContaining({ code: 'Unavailable', hint: expect.stringContaining('another edge-lite') }),
    );
    second.close();
    first.close();
  });

  test('a folder that does not exist cannot be opened', () => {
    expect(() => {
      const database = open(join(folder, 'absent', 'state.db'));
      database.exec('SELECT 1');
    }).toThrow(expect.objectContaining({ name: 'SelvedgeError' }));
  });
});

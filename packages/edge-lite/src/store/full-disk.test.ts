import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '@selvedge/kit';
import { createManualClock } from '@selvedge/kit/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { RuntimeKind } from './runtime.ts';
import { type Store, openStore } from './store.ts';

const note: RuntimeKind<string> = { name: 'note' };
const exhausted = expect.objectContaining({ code: 'ResourceExhausted' });
const isRoot = process.getuid?.() === 0;

/** A disk of 2 MiB, made by root only. */
describe.skipIf(!isRoot).each(['node', 'better'] as const)('a full disk, driver %s', (driver) => {
  let folder = '';
  let store: Store;
  const clock = createManualClock();
  const open = (): Promise<Store> =>
    openStore(
      {
        path: join(folder, 'state.db'),
        sealKeyPath: join(folder, 'seal.key'),
        driver,
        maxHeldBytes: 300_000,
        retryMs: 1000,
      },
      { clock, log: silentLogger },
    );
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'full-'));
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', folder]);
    store = await open();
  });
  afterEach(() => {
    try {
      store.close();
    } finally {
      execFileSync('umount', [folder]);
      rmSync(folder, { recursive: true });
    }
  });

  const ballast = (): string => join(folder, 'ballast');
  const fill = (): void => {
    const { bavail, bsize } = statfsSync(folder);
    writeFileSync(ballast(), Buffer.alloc(bavail * bsize));
  };
  const empty = (): void => rmSync(ballast());
  const put = (key: string, size = 5000, durable = false): void =>
    store.runtime.put(note, { key, document: key.repeat(size) }, { durable });
  const kind = (): string => store.replica.condition().kind;

  test('leaves writes in memory, refuses durable ones, and takes all of them later', async () => {
    put('a', 5000, true);
    fill();
    for (const key of ['b', 'c', 'd']) put(key);
    expect(kind()).toBe('memory-only');
    expect(() => put('e', 10, true)).toThrow(exhausted);
    expect(store.runtime.get(note, 'd')).toBe('d'.repeat(5000));
    expect(store.runtime.delete(note, 'c')).toBe(true);
    expect(store.runtime.list(note).map(({ key }) => key)).toEqual(['a', 'b', 'd']);
    empty();
    put('f');
    expect(kind()).toBe('memory-only');
    await clock.advance(1000);
    put('g', 10, true);
    expect(kind()).toBe('writing');
    store.close();
    store = await open();
    expect(store.runtime.list(note).map(({ key }) => key)).toEqual(['a', 'b', 'd', 'f', 'g']);
  });

  test('is tried at once for a durable write', () => {
    fill();
    put('a');
    empty();
    put('b', 10, true);
    expect(kind()).toBe('writing');
  });

  test('does not fill the memory instead', () => {
    fill();
    const many = (): void => {
      for (let next = 0; next < 100; next += 1) put(String(next), 5000);
    };
    expect(many).toThrow(exhausted);
    const held = store.runtime.list(note).length;
    expect(held).toBeGreaterThan(10);
    expect(held).toBeLessThan(61);
  });

  test('loses what was only in memory when the process goes, and nothing else', async () => {
    put('a', 5000, true);
    fill();
    put('b');
    store.close();
    store = await open();
    expect(store.runtime.list(note).map(({ key }) => key)).toEqual(['a']);
    expect(kind()).toBe('writing');
  });
});

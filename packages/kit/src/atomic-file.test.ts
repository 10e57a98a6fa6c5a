import { mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { sweepTemporaries, writeFileAtomic } from './atomic-file.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'atomic-'));
});
afterEach(() => rm(folder, { recursive: true }));

test('a file is created with its mode and replaced as a whole', async () => {
  const path = join(folder, 'key');
  await writeFileAtomic(path, 'one', { mode: 0o600 });
  await writeFileAtomic(path, 'two', { mode: 0o600 });
  expect(await readFile(path, 'utf8')).toBe('two');
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect(await readdir(folder)).toEqual(['key']);
});

test('a write that fails leaves the old file and nothing else', async () => {
  const path = join(folder, 'busy');
  await writeFile(join(folder, 'old'), 'kept');
  await expect(writeFileAtomic(join(folder, 'absent', 'x'), 'new')).rejects.toThrow('ENOENT');
  await expect(writeFileAtomic(folder, 'new')).rejects.toThrow('EISDIR');
  expect(await readdir(folder)).toEqual(['old']);
  await writeFileAtomic(path, 'fine');
  expect(await readFile(path, 'utf8')).toBe('fine');
});

test('what a crash left is swept away, nothing else', async () => {
  const kept = ['key', 'key.tmp', 'key.0123456789ab.tmp.old', 'key.0123456789AB.tmp'];
  for (const name of [...kept, 'key.0123456789ab.tmp']) await writeFile(join(folder, name), 'x');
  await sweepTemporaries(folder);
  expect((await readdir(folder)).toSorted()).toEqual(kept.toSorted());
});

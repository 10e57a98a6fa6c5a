import { createHash } from 'node:crypto';
import { readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '@selvedge/kit';
import { expect, it } from 'vitest';
import { createHostFiles } from '../files/index.ts';
import { editExecutor } from './edit-step.ts';
import { noSources } from './executor.ts';
import { createTestDisk } from './testing-disk.ts';

const { signal } = new AbortController();
const original = 'plugins: []\n';

it('an edit that nothing tells from what others wrote is left to a person, with what was there before', async () => {
  await using disk = await createTestDisk();
  const { host } = disk;
  const files = createHostFiles(host);
  const executor = editExecutor({ host, files, run: 'r1', clock: systemClock, sources: noSources });
  const path = join(disk.folder, 'config.toml');
  await writeFile(path, original);
  const sha256 = createHash('sha256').update(original).digest('hex');
  const changes = [{ at: 9, old: '[]', new: '[cri]' }];
  const step = { kind: 'edit', path, sha256, changes, marks: [] } as const;
  const before = await executor.look(step, signal);
  await executor.apply(step, before, signal);
  expect(await readFile(path, 'utf8')).toBe('plugins: [cri]\n');
  await writeFile(path, 'plugins: [cri]\ndebug: true\n');
  await expect(executor.undo(step, before, signal)).rejects.toMatchObject({ code: 'Conflict' });
  const kept = (await readdir(disk.folder)).find((name) => name.startsWith('.config.toml')) ?? '';
  expect(await readFile(join(disk.folder, kept), 'utf8')).toBe(original);
});

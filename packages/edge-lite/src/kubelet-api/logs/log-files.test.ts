import { mkdtemp, readdir, readlink, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openHistory } from './log-files.ts';

/** Of this process, below a folder. */
async function openFiles(folder: string): Promise<readonly string[]> {
  const links = (await readdir('/proc/self/fd')).map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => ''));
  return (await Promise.all(links)).filter((path) => path.startsWith(folder));
}

it('leaves no file of a log open when another one cannot be opened', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'log-files-'));
  const log = join(folder, '0.log');
  await writeFile(`${log}.20260102-150405`, 'older\n');
  await symlink('0.log', log);
  await expect(openHistory(log)).rejects.toMatchObject({ code: 'ELOOP' });
  expect(await openFiles(folder)).toEqual([]);
  await rm(folder, { recursive: true });
});

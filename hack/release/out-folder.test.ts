import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { emptyReleaseFolder } from './out-folder.ts';

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'selvedge-out-'));
});
afterEach(() => rm(home, { recursive: true }));

describe('the folder of a release', () => {
  it('is made, and made anew, also of a release that was not finished', async () => {
    const folder = join(home, 'dist/release');
    for (const file of ['a', 'b']) {
      await emptyReleaseFolder(folder);
      expect(await readdir(folder)).toEqual(['SHA256SUMS']);
      await writeFile(join(folder, file), '');
    }
  });

  it('may be there, and empty', async () => {
    await mkdir(join(home, 'empty'));
    await emptyReleaseFolder(join(home, 'empty'));
    expect(await readdir(join(home, 'empty'))).toEqual(['SHA256SUMS']);
  });

  it("is nobody else's", async () => {
    await writeFile(join(home, 'thesis.txt'), 'years');
    await expect(emptyReleaseFolder(home)).rejects.toMatchObject({ code: 'Conflict', message: /not empty/ });
    expect(await readFile(join(home, 'thesis.txt'), 'utf8')).toBe('years');
  });
});

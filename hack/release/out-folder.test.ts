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
    for (const file of ['edge-lite_1.2.0_linux_arm64', 'selvedge_1.2.0~rc.1_amd64.deb']) {
      await emptyReleaseFolder(folder);
      expect(await readdir(folder)).toEqual(['SHA256SUMS']);
      await writeFile(join(folder, file), '');
    }
    const list = `${'0'.repeat(64)}  selvedge_1.2.0~rc.1_amd64.deb\n`;
    await writeFile(join(folder, 'SHA256SUMS'), list);
    await emptyReleaseFolder(folder);
    expect(await readdir(folder)).toEqual(['SHA256SUMS']);
  });

  it('may be there, and empty', async () => {
    await mkdir(join(home, 'empty'));
    await emptyReleaseFolder(join(home, 'empty'));
    expect(await readdir(join(home, 'empty'))).toEqual(['SHA256SUMS']);
  });

  it("is nobody else's", async () => {
    await writeFile(join(home, 'thesis.txt'), 'years');
    await expect(emptyReleaseFolder(home)).rejects.toMatchObject({ code: 'Conflict', message: /thesis/ });
    expect(await readFile(join(home, 'thesis.txt'), 'utf8')).toBe('years');
  });

  it.each([
    ['lists and has other files', `${'0'.repeat(64)}  debian.iso\n`, 'debian.iso'],
    ['lists less than there is', `${'0'.repeat(64)}  selvedge_1.2.0.cdx.json\n`, 'selvedge_1.3.0.cdx.json'],
    ['lists nothing, and has other files', '', 'thesis.txt'],
  ])("is nobody else's that %s", async (_what, list, file) => {
    await writeFile(join(home, 'SHA256SUMS'), list);
    await writeFile(join(home, file), 'years');
    await expect(emptyReleaseFolder(home)).rejects.toMatchObject({ code: 'Conflict' });
    expect(await readdir(home)).toEqual(['SHA256SUMS', file].toSorted());
  });

  it('has no folders: what is in them is not looked at', async () => {
    await writeFile(join(home, 'SHA256SUMS'), '');
    await mkdir(join(home, 'selvedge_1.2.0'));
    await expect(emptyReleaseFolder(home)).rejects.toMatchObject({ code: 'Conflict' });
  });
});

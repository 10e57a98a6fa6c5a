import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SelvedgeError, ifPresent } from '@selvedge/kit';
import { checksumsFile } from '../../packages/installer/src/artifacts/index.ts';

/**
 * Makes a folder for a release, empty but for a list of checksums that says whose it is. Of what is there only an earlier
 * release is removed. Throws `Conflict` for anything else.
 */
export async function emptyReleaseFolder(folder: string): Promise<void> {
  const there = (await ifPresent(readdir(folder))) ?? [];
  if (there.length > 0 && !there.includes(checksumsFile)) {
    throw new SelvedgeError(`${folder} holds no release, and is not empty`, {
      code: 'Conflict',
      hint: 'name another folder with --out, or remove that one',
    });
  }
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, checksumsFile), '');
}

import { mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { checksumsFile, parseChecksums } from '@selvedge/installer/release';
import { SelvedgeError, ifPresent } from '@selvedge/kit';

/** Executables, images, packages and bills of materials: `edge-lite_0.4.0_linux_arm64`, `selvedge_0.4.0.cdx.json`. */
const ours = /^(?:edge-lite|cloud-manager|selvedge|node-shell)_\d+\.\d+\.\d+[-+.~_0-9A-Za-z]*$/;

/** What in the folder is of no earlier release: of a finished one the list has every file, of another one it is empty. */
async function strangersIn(folder: string): Promise<readonly string[]> {
  const entries = (await ifPresent(readdir(folder, { withFileTypes: true }))) ?? [];
  const others = entries.filter(({ name }) => name !== checksumsFile);
  if (others.length === entries.length) return others.map(({ name }) => name);
  const listed = parseChecksums(await readFile(join(folder, checksumsFile), 'utf8'));
  const isListed = (name: string): boolean => listed.size === 0 || listed.has(name);
  return others
    .filter((entry) => !entry.isFile() || !ours.test(entry.name) || !isListed(entry.name))
    .map(({ name }) => name);
}

/**
 * Makes a folder for a release, empty but for a list of checksums that says whose it is. Of what is there only an earlier
 * release is removed. Throws `Conflict` for anything else, `Corrupt` for a list that cannot be read.
 */
export async function emptyReleaseFolder(folder: string): Promise<void> {
  const [stranger] = await strangersIn(folder);
  if (stranger !== undefined) {
    throw new SelvedgeError(`${folder} holds what is of no release: ${stranger}`, {
      code: 'Conflict',
      hint: 'name another folder with --out, or remove that one',
    });
  }
  await mkdir(folder, { recursive: true });
  for (const name of await readdir(folder)) await rm(join(folder, name));
  await writeFile(join(folder, checksumsFile), '');
}

import { randomBytes } from 'node:crypto';
import { open, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';

export interface AtomicFileOptions {
  /** Permission bits. Default 0o644. */
  readonly mode?: number;
}

const temporaryName = /\.[0-9a-f]{12}\.tmp$/;

async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/**
 * Replaces `path` as a whole: readers, and whoever comes after a crash or a power cut, see the old bytes or the new
 * ones, never a part. Both the file and its directory are synced before it returns.
 */
export async function writeFileAtomic(
  path: string,
  data: string | Uint8Array,
  options: AtomicFileOptions = {},
): Promise<void> {
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  const handle = await open(temporary, 'wx', options.mode ?? 0o644);
  try {
    try {
      await handle.writeFile(data);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await syncDirectory(dirname(path));
}

/**
 * Removes what crashes in the middle of `writeFileAtomic` left in a folder: it may be key material. Only for a folder
 * that nobody writes to at the time.
 */
export async function sweepTemporaries(folder: string): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true });
  const left = entries.filter((entry) => entry.isFile() && temporaryName.test(entry.name));
  await Promise.all(left.map(({ name }) => rm(join(folder, name), { force: true })));
}

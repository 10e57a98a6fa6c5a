import { chmod, mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { systemCode } from '@selvedge/kit';

async function closeToOthers(path: string): Promise<void> {
  await chmod(path, 0o600).catch((error: unknown) => {
    if (systemCode(error) !== 'ENOENT') throw error;
  });
}

/** A folder that only its owner may enter, also when it was there before. */
export async function makePrivateFolder(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 });
  await chmod(path, 0o700);
}

/**
 * Only the owner may read the database: it holds pods' specs and config maps in clear. An absent one is made empty, as
 * SQLite would make it with the process's umask; SQLite gives its log the mode of the database.
 */
export async function makePrivateDatabase(path: string): Promise<void> {
  await makePrivateFolder(dirname(path));
  await (await open(path, 'a', 0o600)).close();
  for (const suffix of ['', '-wal', '-shm']) await closeToOthers(path + suffix);
}

import { closeSync, fsyncSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

const probe = new Uint8Array(4096);

/** Whether the disk of `path` has room for `bytes`, and takes a small file at all. */
export function hasRoom(path: string, bytes: number): boolean {
  const file = `${path}.probe`;
  try {
    const { bavail, bsize } = statfsSync(dirname(path));
    if (bavail * bsize < bytes) return false;
    const handle = openSync(file, 'w', 0o600);
    try {
      writeSync(handle, probe);
      fsyncSync(handle);
    } finally {
      closeSync(handle);
    }
    return true;
  } catch {
    return false;
  } finally {
    rmSync(file, { force: true });
  }
}

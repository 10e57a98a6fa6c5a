import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { type Digests, checksumsFile } from '@selvedge/installer/release';

/** The SHA-256 of every file in a folder but of the list of checksums itself. */
export async function digestsIn(folder: string): Promise<Digests> {
  const digests = new Map<string, string>();
  for (const file of (await readdir(folder)).toSorted()) {
    if (file === checksumsFile) continue;
    const hash = createHash('sha256');
    await pipeline(createReadStream(join(folder, file)), hash);
    digests.set(file, hash.digest('hex'));
  }
  return digests;
}

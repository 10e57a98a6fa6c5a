import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { SelvedgeError, systemCode, writeFileAtomic } from '@selvedge/kit';
import { sealKeyBytes } from './seal.ts';

/** Reads the seal key (32 random bytes, mode 0600) or makes one. Its folder must exist. */
export async function loadSealKey(path: string): Promise<Uint8Array> {
  try {
    const key = await readFile(path);
    if (key.length === sealKeyBytes) return key;
    const message = `seal key ${path} has ${key.length} bytes instead of ${sealKeyBytes}`;
    throw new SelvedgeError(message, { code: 'Corrupt', hint: 'restore it' });
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
  }
  const key = randomBytes(sealKeyBytes);
  await writeFileAtomic(path, key, { mode: 0o600 });
  return key;
}

import { type KeyObject, createPrivateKey, generateKeyPair } from 'node:crypto';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { ifPresent, writeFileAtomic } from '@selvedge/kit';

const generate = promisify(generateKeyPair);

/**
 * The key that a certificate is being asked for. It is on disk before the request is sent, so that whoever comes after
 * a crash finds the same request again instead of leaving one more behind.
 */
export interface PendingKey {
  /** The key of an unfinished request, or a new one. */
  take(): Promise<KeyObject>;
  /** Idempotent. */
  forget(): Promise<void>;
}

export function createPendingKey(path: string): PendingKey {
  const forget = (): Promise<void> => rm(path, { force: true });
  const read = async (): Promise<KeyObject | undefined> => {
    const pem = await ifPresent(readFile(path));
    return pem === undefined ? undefined : createPrivateKey(pem);
  };
  return {
    async take() {
      const known = await read();
      if (known !== undefined) return known;
      await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      const { privateKey } = await generate('ec', { namedCurve: 'P-256' });
      await writeFileAtomic(path, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
      return privateKey;
    },
    forget,
  };
}

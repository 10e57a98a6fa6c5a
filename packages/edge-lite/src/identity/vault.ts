import { mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { SelvedgeError, ifPresent, writeFileAtomic } from '@selvedge/kit';
import { pinned } from '@selvedge/kube';
import type { Joined } from './join.ts';
import { loadPair, savePair } from './pair.ts';

export interface VaultOptions {
  readonly nodeName: string;
  readonly caHash: string;
  readonly clusterCaPath: string;
  readonly clientPemPath: string;
}

/** Where the identity lies on disk. */
export interface Vault {
  /** Undefined before the first join; throws `Unauthenticated` on one that does not fit the config. */
  load(): Promise<Joined | undefined>;
  save(joined: Joined): Promise<void>;
}

export function createVault({ nodeName, caHash, clusterCaPath, clientPemPath }: VaultOptions): Vault {
  return {
    async load() {
      const clusterCa = await ifPresent(readFile(clusterCaPath, 'utf8'));
      if (clusterCa === undefined) return undefined;
      if (pinned(clusterCa, caHash) === '') {
        throw new SelvedgeError(`the CA in ${clusterCaPath} is not the pinned one (${caHash})`, {
          code: 'Unauthenticated',
          hint: 'correct server.caHash, or move the file aside to join another cluster',
        });
      }
      const pair = await loadPair(clientPemPath, nodeName);
      return pair === undefined ? undefined : { clusterCa, pair };
    },
    async save({ clusterCa, pair }) {
      await mkdir(dirname(clusterCaPath), { recursive: true, mode: 0o700 });
      await writeFileAtomic(clusterCaPath, clusterCa);
      await savePair(clientPemPath, pair);
    },
  };
}

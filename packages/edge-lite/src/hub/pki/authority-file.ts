import { mkdir, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type Logger, ifPresent, writeFileAtomic } from '@selvedge/kit';
import { type Authority, formatAuthorities, parseAuthorities } from './authorities.ts';

/** The node's authorities with their keys, in one file that only its owner reads. */
export interface AuthorityFile {
  /** None before the first. One that cannot be used is set aside. */
  load(): Promise<readonly Authority[]>;
  save(authorities: readonly Authority[]): Promise<void>;
}

export function createAuthorityFile(path: string, { log }: { readonly log: Logger }): AuthorityFile {
  return {
    async load() {
      const text = await ifPresent(readFile(path, 'utf8'));
      if (text === undefined) return [];
      try {
        return parseAuthorities(text);
      } catch (error) {
        const aside = `${path}.damaged`;
        await rename(path, aside);
        log.error('the hub has a new certificate authority: the file of the old one cannot be used', {
          aside,
          error,
        });
        return [];
      }
    },
    async save(authorities) {
      await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      await writeFileAtomic(path, formatAuthorities(authorities), { mode: 0o600 });
    },
  };
}

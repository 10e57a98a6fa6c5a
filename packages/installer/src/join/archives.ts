import { hash } from 'node:crypto';
import { join } from 'node:path';
import { SelvedgeError } from '@selvedge/kit';
import { type Architecture, checksumsFile, parseChecksums } from '../artifacts/index.ts';
import type { JoinArtifacts } from './types.ts';

/** The end of the names of those files that are for a system. Source: Debian Policy 5.6, rpm(8). */
const endings: Readonly<Record<'apt' | 'dnf', Readonly<Record<Architecture, readonly string[]>>>> = {
  apt: { amd64: ['_amd64.deb', '_all.deb'], arm64: ['_arm64.deb', '_all.deb'] },
  dnf: { amd64: ['.x86_64.rpm', '.noarch.rpm'], arm64: ['.aarch64.rpm', '.noarch.rpm'] },
};

export interface ArchivesDeps {
  /** The names in a folder; none if it is not there. */
  readonly readFolder: (path: string) => Promise<readonly string[]>;
  readonly readFile: (path: string) => Promise<Buffer>;
}

const notListed = (path: string, isOther: boolean): SelvedgeError =>
  new SelvedgeError(
    isOther
      ? `${path} does not match ${checksumsFile} next to it`
      : `${path} is not listed in ${checksumsFile} next to it`,
    {
      code: 'Corrupt',
      hint: `create that file where the packages were downloaded: sha256sum *.deb > ${checksumsFile}`,
    },
  );

/**
 * Files of packages that somebody has put into a folder for machines without a way to their mirrors. All that are for a system are
 * installed where something is missing: the folder holds what containerd needs there, and no more. Root installs them, so each must
 * be what `SHA256SUMS` of that folder says, which who fetched them writes where they were fetched. Throws `Corrupt`.
 */
export function packagesIn(
  folder: string,
  { readFolder, readFile }: ArchivesDeps,
): NonNullable<JoinArtifacts['packages']> {
  return async ({ arch, manager }) => {
    const there = await readFolder(folder);
    const names = there.filter((name) => endings[manager][arch].some((ending) => name.endsWith(ending)));
    if (names.length === 0) return [];
    const list = there.includes(checksumsFile) ? await readFile(join(folder, checksumsFile)) : '';
    const digests = parseChecksums(list.toString());
    return await Promise.all(
      names.toSorted().map(async (file) => {
        const bytes = await readFile(join(folder, file));
        const sha256 = hash('sha256', bytes);
        if (digests.get(file) === sha256) return { file, bytes, sha256 };
        throw notListed(join(folder, file), digests.has(file));
      }),
    );
  };
}

import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { Architecture } from '../artifacts/index.ts';
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

/**
 * Files of packages that somebody has put into a folder for machines without a way to their mirrors. All that are for a system are
 * installed where something is missing: the folder holds what containerd needs there, and no more.
 */
export function packagesIn(
  folder: string,
  { readFolder, readFile }: ArchivesDeps,
): NonNullable<JoinArtifacts['packages']> {
  return async ({ arch, manager }) => {
    const names = (await readFolder(folder)).filter((name) =>
      endings[manager][arch].some((ending) => name.endsWith(ending)),
    );
    return await Promise.all(
      names.toSorted().map(async (file) => {
        const bytes = await readFile(join(folder, file));
        return { file, bytes, sha256: createHash('sha256').update(bytes).digest('hex') };
      }),
    );
  };
}

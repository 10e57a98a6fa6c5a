import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Cache, contentKey } from './cache.ts';
import { run } from './command.ts';
import { aptGet } from './debian.ts';
import type { Progress } from './progress.ts';

export interface DebianFilesOptions {
  /** Names the folder in the cache. */
  readonly name: string;
  readonly packages: readonly string[];
  readonly signal?: AbortSignal | undefined;
}

/**
 * The files of Debian packages in a folder of the cache. They are unpacked and not installed, so no service of theirs
 * starts and nothing conflicts with what the machine runs already (Docker's containerd for instance).
 */
export async function debianFiles(
  options: DebianFilesOptions,
  deps: { readonly cache: Cache; readonly progress: Progress },
): Promise<string> {
  const { packages, signal } = options;
  const unpack = async (folder: string): Promise<void> => {
    const download = join(folder, 'download');
    await mkdir(download);
    // Without `_apt`, which cannot write into a folder of root's.
    const sandbox = 'APT::Sandbox::User=root';
    await aptGet({ args: ['download', '-o', sandbox, ...packages], cwd: download, signal }, deps.progress);
    for (const file of (await readdir(download)).toSorted()) {
      await run({ argv: ['dpkg-deb', '--extract', join(download, file), join(folder, 'root')], signal });
    }
    await run({ argv: ['rm', '--recursive', download], signal });
  };
  const fill = async (folder: string): Promise<void> => {
    const step = { title: `unpack Debian packages: ${packages.join(' ')}`, estimateMs: 5_000 };
    await deps.progress.step(step, () => unpack(folder));
  };
  const entry = { name: `debian/${options.name}`, key: contentKey(packages) };
  return join(await deps.cache.folder(entry, fill, signal), 'root');
}

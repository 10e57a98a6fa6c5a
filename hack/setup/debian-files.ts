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
  /** Default: this machine's. */
  readonly architecture?: 'arm64';
  readonly signal?: AbortSignal | undefined;
}

/** apt with lists of its own, of another processor; those of the machine are not touched. */
async function foreign(architecture: string, folder: string): Promise<readonly string[]> {
  const lists = join(folder, 'lists');
  await mkdir(join(lists, 'partial'), { recursive: true });
  const settings = {
    'APT::Architecture': architecture,
    'APT::Architectures': architecture,
    'Dir::State::Lists': lists,
    // What is installed here is of no interest.
    'Dir::State::status': '/dev/null',
    'Dir::Cache::pkgcache': '',
    'Dir::Cache::srcpkgcache': '',
  };
  return Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
}

/**
 * The files of Debian packages in a folder of the cache. They are unpacked and not installed, so no service of theirs
 * starts and nothing conflicts with what the machine runs already (Docker's containerd for instance).
 */
export async function debianFiles(
  options: DebianFilesOptions,
  deps: { readonly cache: Cache; readonly progress: Progress },
): Promise<string> {
  const { packages, architecture, signal } = options;
  const unpack = async (folder: string): Promise<void> => {
    const download = join(folder, 'download');
    await mkdir(download);
    // Without `_apt`, which cannot write into a folder of root's.
    const sandbox = ['-o', 'APT::Sandbox::User=root'];
    const other = architecture === undefined ? [] : await foreign(architecture, folder);
    const apt = { cwd: download, signal };
    if (other.length > 0) await aptGet({ args: ['update', ...sandbox, ...other], ...apt }, deps.progress);
    await aptGet({ args: ['download', ...sandbox, ...other, ...packages], ...apt }, deps.progress);
    for (const file of (await readdir(download)).toSorted()) {
      await run({ argv: ['dpkg-deb', '--extract', join(download, file), join(folder, 'root')], signal });
    }
    await run({ argv: ['rm', '--recursive', '--force', download, join(folder, 'lists')], signal });
  };
  const fill = async (folder: string): Promise<void> => {
    const step = { title: `unpack Debian packages: ${packages.join(' ')}`, estimateMs: 5_000 };
    await deps.progress.step(step, () => unpack(folder));
  };
  const entry = { name: `debian/${options.name}`, key: contentKey(packages) };
  return join(await deps.cache.folder(entry, fill, signal), 'root');
}

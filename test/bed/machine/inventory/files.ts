import { createHash } from 'node:crypto';
import type { BigIntStats } from 'node:fs';
import { lstat, readFile, readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { systemCode } from '@selvedge/kit';
import type { Facts } from './types.ts';
import type { Left } from './volatile-lookup.ts';

export interface FilesOptions {
  /** The machine's root, as a path of this host. No link below is followed. */
  readonly root: string;
  /** Not entered: paths in the machine. */
  readonly foreign: ReadonlySet<string>;
  readonly left: (path: string) => Left;
}

const kinds = [
  'File',
  'Directory',
  'SymbolicLink',
  'Socket',
  'FIFO',
  'CharacterDevice',
  'BlockDevice',
] as const;
const kindOf = (stats: BigIntStats): string =>
  kinds.find((kind) => stats[`is${kind}`]())?.toLowerCase() ?? 'unknown';

/** Whole, and to the nanosecond: a file that was written anew shows. */
function timeOf({ mtimeNs }: BigIntStats): string {
  const rest = (mtimeNs % 1_000_000_000n).toString().padStart(9, '0');
  return `${new Date(Number(mtimeNs / 1_000_000n)).toISOString().slice(0, 19)}.${rest}`;
}

async function contentOf(file: string, stats: BigIntStats): Promise<readonly string[]> {
  if (stats.isSymbolicLink()) return [`-> ${await readlink(file)}`];
  if (!stats.isFile()) return [];
  const sha256 = createHash('sha256')
    .update(await readFile(file))
    .digest('hex');
  return [`${stats.size} bytes`, `sha256:${sha256}`];
}

/** A folder's own time tells only that something was in it: it is not looked at, and neither is a socket's. */
async function factsOf(file: string, stats: BigIntStats, left: Left): Promise<string> {
  const timed = (stats.isFile() || stats.isSymbolicLink()) && left !== 'mtime';
  const mode = (stats.mode & 0o7777n).toString(8).padStart(4, '0');
  const known = [kindOf(stats), mode, `${stats.uid}:${stats.gid}`, ...(timed ? [timeOf(stats)] : [])];
  return [...known, ...(await contentOf(file, stats))].join(' ');
}

/** Every file of a machine's disk with type, mode, owner, time of change, and its content's hash or the link's target. */
export async function fileFacts({ root, foreign, left }: FilesOptions): Promise<Facts> {
  const facts: Record<string, string> = {};
  const look = async (path: string): Promise<void> => {
    const what = left(path);
    if (what === 'all' || foreign.has(path)) return;
    const file = join(root, path);
    try {
      const stats = await lstat(file, { bigint: true });
      facts[path] = await factsOf(file, stats, what);
      if (stats.isDirectory()) for (const name of await readdir(file)) await look(join(path, name));
    } catch (error) {
      // Gone since its folder was read, and then not there.
      if (systemCode(error) !== 'ENOENT') throw error;
      delete facts[path];
    }
  };
  await look('/');
  return facts;
}

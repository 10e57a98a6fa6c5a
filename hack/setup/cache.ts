import { createHash } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { type Clock, systemClock } from '@selvedge/kit';
import { lockFile } from './lock.ts';

export interface CacheEntry {
  /** A folder name made of letters, digits, dots and dashes, for people: `kubelet`. May hold one slash as a group. */
  readonly name: string;
  /** What the content depends on; see `contentKey`. */
  readonly key: string;
}

/** Folders that are filled once and kept until `purge`. Safe between processes. */
export interface Cache {
  /** Absolute. */
  readonly root: string;
  /** Where the entry is, whether it is filled or not. */
  path(entry: CacheEntry): string;
  has(entry: CacheEntry): Promise<boolean>;
  /**
   * The entry's folder, filled by `fill` if nobody did so yet. `fill` writes into a temporary folder that is renamed
   * once it resolved and removed if it rejects, so that a folder is there whole or not at all. Other versions of the
   * same name are removed unless somebody has asked for them lately: another checkout may be using them.
   */
  folder(entry: CacheEntry, fill: (folder: string) => Promise<void>, signal?: AbortSignal): Promise<string>;
  /** Removes everything. */
  purge(): Promise<void>;
}

/** The first 16 hex digits of a SHA-256 over `parts`, each with its length, so that their borders count. */
export function contentKey(parts: readonly (string | Uint8Array)[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(`${part.length}:`).update(part);
  return hash.digest('hex').slice(0, 16);
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/** Whether nobody has asked for the folder since `sinceMs`. A half-filled one is nobody's: we hold the lock. */
async function isForgotten(path: string, sinceMs: number): Promise<boolean> {
  return basename(path).startsWith('.partial-') || (await stat(path)).mtimeMs < sinceMs;
}

/** Removes forgotten versions of `name` and half-filled folders that a killed run left; the caller holds the lock. */
async function removeForgotten(group: string, name: string, sinceMs: number): Promise<void> {
  const mine = new RegExp(`^(\\.partial-)?${name.replaceAll('.', '\\.')}-([0-9a-f]{16}|\\w{6})$`);
  for (const entry of await readdir(group)) {
    const path = join(group, entry);
    if (mine.test(entry) && (await isForgotten(path, sinceMs)))
      await rm(path, { recursive: true, force: true });
  }
}

function split(root: string, entry: CacheEntry): { group: string; name: string; folder: string } {
  const parts = entry.name.split('/');
  const name = parts.at(-1) ?? entry.name;
  return { group: join(root, ...parts.slice(0, -1)), name, folder: `${name}-${entry.key}` };
}

export interface CacheOptions {
  readonly root: string;
  /** How long a version that nobody asks for is kept beside another one, in milliseconds. Default: a week. */
  readonly keepMs?: number;
}

const weekMs = 7 * 24 * 3_600_000;

export function createCache(
  options: CacheOptions,
  { clock = systemClock }: { readonly clock?: Pick<Clock, 'now'> } = {},
): Cache {
  const { root, keepMs = weekMs } = options;
  const path = (entry: CacheEntry): string => join(split(root, entry).group, split(root, entry).folder);
  return {
    root,
    path,
    has: (entry) => exists(path(entry)),
    async folder(entry, fill, signal) {
      const done = path(entry);
      const asked = new Date(clock.now());
      if (await exists(done)) {
        await utimes(done, asked, asked);
        return done;
      }
      const { group, name } = split(root, entry);
      await mkdir(group, { recursive: true });
      await using lock = await lockFile(join(group, `.lock-${name}`), signal);
      if (await exists(done)) return done;
      await removeForgotten(group, name, asked.getTime() - keepMs);
      const partial = await mkdtemp(join(group, `.partial-${name}-`));
      try {
        await fill(partial);
        signal?.throwIfAborted();
        await chmod(partial, 0o755);
        await rename(partial, done);
      } finally {
        await rm(partial, { recursive: true, force: true });
      }
      return done;
    },
    purge: () => rm(root, { recursive: true, force: true }),
  };
}

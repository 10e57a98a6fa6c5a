import { existsSync } from 'node:fs';
import { open, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Clock, Logger } from '@selvedge/kit';
import type { BodyCodec } from '../body.ts';
import { clearSuspicion } from '../damage.ts';
import type { OpenDatabase, SqlDatabase } from '../driver.ts';
import { migrate, migrations, schemaVersion } from '../migrations.ts';
import { type Copied, copyReadable } from './copy.ts';
import { mendReplica } from './mend.ts';

export interface SalvageDeps {
  readonly open: OpenDatabase;
  readonly codec: BodyCodec;
  readonly clock: Pick<Clock, 'now'>;
  readonly log: Logger;
}

/** What became of a damaged file. */
export interface Salvage {
  /** Where it lies now. */
  readonly aside: string;
  readonly tables: readonly Copied[];
}

/** Damaged files that are kept for whoever wants to look at them. */
const maxAside = 2;

/** Being made, and made: only the latter takes the place of the damaged file. */
const unfinishedOf = (path: string): string => `${path}.salvaging`;
const finishedOf = (path: string): string => `${path}.salvaged`;

async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function forgetOldest(path: string): Promise<void> {
  const prefix = `${basename(path)}.damaged-`;
  const names = (await readdir(dirname(path))).filter((name) => name.startsWith(prefix));
  const databases = names.filter((name) => !name.endsWith('-wal')).toSorted();
  for (const old of databases.slice(0, Math.max(0, databases.length - maxAside)))
    for (const suffix of ['', '-wal']) await rm(join(dirname(path), old + suffix), { force: true });
}

/** Puts the saved rows in the place of the damaged file. Safe to be done again after any interruption. */
async function replace(path: string, aside: string): Promise<void> {
  for (const suffix of ['-wal', ''])
    if (existsSync(path + suffix)) await rename(path + suffix, aside + suffix);
  await rm(`${path}-shm`, { force: true });
  await rename(finishedOf(path), path);
  await syncFolder(dirname(path));
  clearSuspicion(path);
  await forgetOldest(path);
}

const asideOf = (path: string, clock: Pick<Clock, 'now'>): string =>
  `${path}.damaged-${new Date(clock.now()).toISOString().replaceAll(/[:.]/g, '-')}`;

/** Ends a rescue that a power cut interrupted between its last steps. */
export async function finishSalvage(path: string, { clock }: Pick<SalvageDeps, 'clock'>): Promise<void> {
  await rm(unfinishedOf(path), { force: true });
  if (existsSync(finishedOf(path))) await replace(path, asideOf(path, clock));
}

function versionOf(damaged: SqlDatabase): number {
  try {
    const version = schemaVersion(damaged);
    return version >= 1 && version <= migrations.length ? version : migrations.length;
  } catch {
    return migrations.length;
  }
}

function copyAll(path: string, { open: openDatabase, codec }: SalvageDeps): readonly Copied[] {
  const to = openDatabase(unfinishedOf(path));
  let from: SqlDatabase | undefined;
  try {
    to.exec('PRAGMA synchronous = FULL');
    from = openDatabase(path);
    migrate(to, versionOf(from));
    const copied = copyReadable({ from, to, codec });
    migrate(to);
    mendReplica(copied, { database: to, codec });
    return copied;
  } finally {
    from?.close();
    to.close();
  }
}

/**
 * Sets a damaged state file aside as `<path>.damaged-<time>` and puts a fresh one with all that could be read in its
 * place. After a power cut at any moment either is there as a whole.
 */
export async function salvage(path: string, deps: SalvageDeps): Promise<Salvage> {
  const { clock, log } = deps;
  await rm(unfinishedOf(path), { force: true });
  const tables = copyAll(path, deps);
  await rename(unfinishedOf(path), finishedOf(path));
  const aside = asideOf(path, clock);
  await replace(path, aside);
  const incomplete = tables.filter(({ complete }) => !complete).map(({ table }) => table);
  const kept = Object.fromEntries(tables.map((one) => [one.table, one.kept]));
  log.error('the state was damaged: set aside, and rebuilt from what could be read', {
    aside,
    incomplete,
    kept,
  });
  return { aside, tables };
}

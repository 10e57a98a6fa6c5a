import { statSync } from 'node:fs';
import { dirname } from 'node:path';
import {
  type Clock,
  type Logger,
  SelvedgeError,
  hasCode,
  silentLogger,
  sweepTemporaries,
  systemClock,
} from '@selvedge/kit';
import { type BodyCodec, createBodyCodec } from './body.ts';
import { type DamageReport, createDamageReport, isSuspect, watchedCodec, watchedDatabase } from './damage.ts';
import type { DriverName, OpenDatabase, SqlDatabase } from './driver.ts';
import { loadDriver } from './drivers.ts';
import { isSchemaWhole, migrate } from './migrations.ts';
import { makePrivateDatabase, makePrivateFolder } from './private-files.ts';
import { type ReplicaTables, createReplicaTables } from './replica/index.ts';
import { createRuntimeRepository, type RuntimeRepository } from './runtime.ts';
import { hasRoom } from './room.ts';
import { type Salvage, finishSalvage, salvage } from './salvage/index.ts';
import { checkSeal } from './seal-check.ts';
import { loadSealKey } from './seal-key.ts';
import { type Sealer, createSealer } from './seal.ts';
import { type StoreCondition, createTransactions, createWriter } from './writer.ts';

export interface StoreOptions {
  /** The SQLite file, made with its folder if absent. */
  readonly path: string;
  /** The seal key, made with its folder if absent. */
  readonly sealKeyPath: string;
  readonly driver: DriverName;
  /** Bytes written that are held in memory while the disk is full or broken. Default 8 MiB. */
  readonly maxHeldBytes?: number;
  /** How often it is tried whether the disk takes them, in milliseconds. Default 10,000. */
  readonly retryMs?: number;
}

export interface StoreDeps {
  readonly clock: Pick<Clock, 'now' | 'monotonicMs'>;
  readonly log: Logger;
}

/** What the hub's replica is kept in. */
export interface ReplicaStore {
  readonly file: ReplicaTables;
  /** Lost with the process: for what must never be written to flash. */
  readonly memory: ReplicaTables;
  /** Bytes in use of the file. */
  sizeBytes(): number;
  /** Whether writes reach the disk. */
  condition(): StoreCondition;
  /** Whether something was saved from a damaged file at this start. */
  readonly salvaged: boolean;
}

/** A node's state: one SQLite file, one process. */
export interface Store {
  readonly runtime: RuntimeRepository;
  readonly replica: ReplicaStore;
  /**
   * Rejects when the process must restart: the file turned out to be damaged (the next start sets it aside), or a disk
   * that was full lost what was held in memory.
   */
  readonly failed: Promise<never>;
  /** What was saved at this start; undefined: nothing was damaged. */
  readonly salvaged: Salvage | undefined;
  /** Idempotent; nothing of the store may be used afterwards. */
  close(): void;
}

/** The lock is held for the life of the process, so that two agents never share one root; no `-shm` file is needed. */
const setup = `
  PRAGMA locking_mode = EXCLUSIVE;
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = NORMAL;
  PRAGMA cache_size = -512;
  PRAGMA temp_store = MEMORY;
  PRAGMA journal_size_limit = 1048576;`;

const valueOf = (database: SqlDatabase, pragma: string): unknown =>
  Object.values(database.prepare(`PRAGMA ${pragma}`).get() ?? {})[0];

/**
 * SQLite takes a last page that is not whole for one that ends in zeros. As long as there is a log, that page may be in it:
 * then nothing is lost, and nothing is known.
 */
function cutOff(path: string, database: SqlDatabase): string | undefined {
  if ((statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0) > 0) return undefined;
  const { size } = statSync(path);
  return size % Number(valueOf(database, 'page_size')) === 0 ? undefined : `it was cut off at byte ${size}`;
}

function checkIntegrity(path: string, database: SqlDatabase, open: OpenDatabase): void {
  if (isSuspect(path)) {
    throw new SelvedgeError(`database ${path} was found damaged before`, { code: 'Corrupt' });
  }
  const first = valueOf(database, 'integrity_check(1)');
  const whole = (): string | undefined =>
    isSchemaWhole(database, open) ? undefined : 'its schema is another';
  const problem = first === 'ok' ? (cutOff(path, database) ?? whole()) : String(first);
  if (problem !== undefined) {
    throw new SelvedgeError(`database ${path} is damaged: ${problem}`, { code: 'Corrupt' });
  }
}

interface Opening {
  readonly options: StoreOptions;
  readonly open: OpenDatabase;
  readonly sealer: Sealer;
  readonly deps: StoreDeps;
}

/** The database, whole and with the newest schema. */
function openDatabase({ options: { path, sealKeyPath }, open, sealer }: Opening): SqlDatabase {
  const database = open(path);
  try {
    database.exec(setup);
    checkIntegrity(path, database, open);
    migrate(database);
    checkSeal({ path, sealKeyPath }, { database, sealer, write: createTransactions(database) });
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

interface Opened {
  readonly database: SqlDatabase;
  readonly salvaged: Salvage | undefined;
}

async function openOrSalvage(opening: Opening): Promise<Opened> {
  const { options, open, sealer, deps } = opening;
  try {
    return { database: openDatabase(opening), salvaged: undefined };
  } catch (error) {
    if (!hasCode(error, 'Corrupt')) throw error;
    deps.log.error('the state is damaged', { error });
  }
  const salvaged = await salvage(options.path, { open, codec: createBodyCodec(sealer), ...deps });
  await makePrivateDatabase(options.path);
  return { database: openDatabase(opening), salvaged };
}

/**
 * Opens the state: reads the whole file once (integrity check) and migrates the schema. A damaged file is set aside and
 * rebuilt from what can be read; whatever else goes wrong is `Corrupt` with what to do about it. Only the owner may read
 * what it makes; keys that a crash left half-written beside the seal key are removed.
 */
export async function openStore(
  options: StoreOptions,
  deps: StoreDeps = { clock: systemClock, log: silentLogger },
): Promise<Store> {
  try {
    await makePrivateFolder(dirname(options.path));
    await finishSalvage(options.path, deps);
    await makePrivateDatabase(options.path);
    await makePrivateFolder(dirname(options.sealKeyPath));
    const open = await loadDriver(options.driver);
    const sealer = createSealer(await loadSealKey(options.sealKeyPath));
    const opened = await openOrSalvage({ options, open, sealer, deps });
    // Not before the lock is ours: the file may be the one that another agent is about to rename.
    await sweepTemporaries(dirname(options.sealKeyPath));
    return assemble({ options, open, sealer, deps }, opened);
  } catch (cause) {
    throw unusable(options.path, cause);
  }
}

function createSizeReader(database: SqlDatabase): () => number {
  const pages = database.prepare(
    `SELECT (page_count - freelist_count) * page_size AS bytes
     FROM pragma_page_count(), pragma_freelist_count(), pragma_page_size()`,
  );
  return () => Number(pages.get()?.['bytes'] ?? 0);
}

function createMemoryTables(
  open: OpenDatabase,
  codec: BodyCodec,
): { readonly tables: ReplicaTables; close(): void } {
  const database = open(':memory:');
  migrate(database);
  const tables = createReplicaTables({ database, codec, write: createTransactions(database) });
  return { tables, close: () => database.close() };
}

function assemble({ options, open, sealer, deps }: Opening, { database: bare, salvaged }: Opened): Store {
  const { path, maxHeldBytes = 8 * 2 ** 20, retryMs = 10_000 } = options;
  const report: DamageReport = createDamageReport(path, deps);
  const database = watchedDatabase(bare, report);
  const codec = watchedCodec(createBodyCodec(sealer), report);
  const writer = createWriter(
    { maxHeldBytes, retryMs },
    { ...deps, database, hasRoom: (bytes) => hasRoom(path, bytes), onLost: report.report },
  );
  const parts = { database, write: writer.write, codec };
  const memory = createMemoryTables(open, codec);
  return {
    runtime: createRuntimeRepository(parts),
    replica: {
      file: createReplicaTables(parts),
      memory: memory.tables,
      sizeBytes: createSizeReader(database),
      condition: () => writer.condition,
      salvaged: salvaged !== undefined,
    },
    failed: report.found,
    salvaged,
    close() {
      memory.close();
      writer.close();
      bare.close();
    },
  };
}

function unusable(path: string, cause: unknown): SelvedgeError {
  const known = cause instanceof SelvedgeError ? cause.hint : undefined;
  const hint = known ?? 'the disk must be writable and its owner the one who runs edge-lite';
  return new SelvedgeError(`state unusable: ${path}`, { code: 'Corrupt', cause, hint });
}

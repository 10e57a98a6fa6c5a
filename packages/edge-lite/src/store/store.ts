import { dirname } from 'node:path';
import { SelvedgeError, hasCode, sweepTemporaries } from '@selvedge/kit';
import { createBodyCodec } from './body.ts';
import type { DriverName, SqlDatabase } from './driver.ts';
import { loadDriver } from './drivers.ts';
import { migrate } from './migrations.ts';
import { createObjectRepository, type ObjectRepository } from './objects.ts';
import { makePrivateDatabase, makePrivateFolder } from './private-files.ts';
import { type ReplicaTables, createReplicaTables } from './replica/index.ts';
import { createRuntimeRepository, type RuntimeRepository } from './runtime.ts';
import { checkSeal } from './seal-check.ts';
import { loadSealKey } from './seal-key.ts';
import { createSealer } from './seal.ts';
import { createWriter } from './writer.ts';

export interface StoreOptions {
  /** The SQLite file, made with its folder if absent. */
  readonly path: string;
  /** The seal key, made with its folder if absent. */
  readonly sealKeyPath: string;
  readonly driver: DriverName;
  /** Parsed API objects kept in memory. Default 256. */
  readonly maxCachedObjects?: number;
}

/** What the hub's replica is kept in. */
export interface ReplicaStore {
  readonly file: ReplicaTables;
  /** Lost with the process: for what must never be written to flash. */
  readonly memory: ReplicaTables;
  /** Bytes in use of the file. */
  sizeBytes(): number;
}

/** A node's state: one SQLite file, one process. */
export interface Store {
  readonly objects: ObjectRepository;
  readonly runtime: RuntimeRepository;
  readonly replica: ReplicaStore;
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

function checkIntegrity(path: string, database: SqlDatabase): void {
  const first = Object.values(database.prepare('PRAGMA integrity_check(1)').get() ?? {})[0];
  if (first !== 'ok') {
    throw new SelvedgeError(`database ${path} is damaged: ${String(first)}`, { code: 'Corrupt' });
  }
}

/**
 * Opens the state or says why it is unusable: whatever goes wrong is `Corrupt` with what to do about it. Reads the
 * whole file once (integrity check) and migrates the schema. Only the owner may read what it makes; keys that a crash
 * left half-written beside the seal key are removed.
 */
export async function openStore(options: StoreOptions): Promise<Store> {
  try {
    await makePrivateDatabase(options.path);
    await makePrivateFolder(dirname(options.sealKeyPath));
    const open = await loadDriver(options.driver);
    const sealKey = await loadSealKey(options.sealKeyPath);
    const database = open(options.path);
    try {
      const store = prepareStore(options, { database, memory: open(':memory:'), sealKey });
      // Not before the lock is ours: the file may be the one that another agent is about to rename.
      await sweepTemporaries(dirname(options.sealKeyPath));
      return store;
    } catch (error) {
      database.close();
      throw error;
    }
  } catch (cause) {
    throw unusable(options.path, cause);
  }
}

interface Opened {
  readonly database: SqlDatabase;
  readonly memory: SqlDatabase;
  readonly sealKey: Uint8Array;
}

function createSizeReader(database: SqlDatabase): () => number {
  const pages = database.prepare(
    `SELECT (page_count - freelist_count) * page_size AS bytes
     FROM pragma_page_count(), pragma_freelist_count(), pragma_page_size()`,
  );
  return () => Number(pages.get()?.['bytes'] ?? 0);
}

function prepareStore(options: StoreOptions, { database, memory, sealKey }: Opened): Store {
  database.exec(setup);
  migrate(memory);
  checkIntegrity(options.path, database);
  migrate(database);
  const write = createWriter(database);
  const sealer = createSealer(sealKey);
  checkSeal(options, { database, sealer, write });
  const deps = { database, write, codec: createBodyCodec(sealer) };
  return {
    objects: createObjectRepository(
      { maxCached: options.maxCachedObjects ?? 256, sealed: new Set(['secrets']) },
      deps,
    ),
    runtime: createRuntimeRepository(deps),
    replica: {
      file: createReplicaTables(deps),
      memory: createReplicaTables({ ...deps, database: memory, write: createWriter(memory) }),
      sizeBytes: createSizeReader(database),
    },
    close: () => {
      memory.close();
      database.close();
    },
  };
}

function unusable(path: string, cause: unknown): SelvedgeError {
  const known = cause instanceof SelvedgeError ? cause.hint : undefined;
  const aside = `move ${path} aside to start empty: the API server's objects are fetched again`;
  const damaged = hasCode(cause, 'Corrupt');
  const hint =
    known ?? (damaged ? aside : 'the disk must be writable and its owner the one who runs edge-lite');
  return new SelvedgeError(`state unusable: ${path}`, { code: 'Corrupt', cause, hint });
}

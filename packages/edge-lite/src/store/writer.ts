import type { SqlDatabase } from './driver.ts';

/**
 * How a write meets a power cut. `durable` writes are on the medium when the call returns (`synchronous=FULL`), and
 * so is everything written before them. Others are in the operating system's hands (`NORMAL`): the crash of the
 * process never loses them, a power cut may lose the last seconds; the file is never damaged. Source: sqlite.org,
 * "Write-Ahead Logging", PRAGMA synchronous.
 */
export interface WriteOptions {
  readonly durable: boolean;
  /** About how much is written, for the time when it must be held in memory. Default 0. */
  readonly bytes?: number;
}

/** Runs `work` as one transaction. */
export type Writer = <T>(options: WriteOptions, work: () => T) => T;

/** After some failures SQLite has rolled back by itself and has nothing left to roll back. */
function rollback(database: SqlDatabase): void {
  try {
    database.exec('ROLLBACK');
  } catch {
    return;
  }
}

export function createWriter(database: SqlDatabase): Writer {
  const total = database.prepare('SELECT total_changes() AS changes');
  const changes = (): number => Number(total.get()?.['changes'] ?? 0);
  let full = false;
  let unsynced = true;
  const setDurable = (durable: boolean): void => {
    if (durable !== full) database.exec(`PRAGMA synchronous = ${durable ? 'FULL' : 'NORMAL'}`);
    full = durable;
  };
  /** A commit without changes syncs nothing, but what an earlier one left unsynced is promised now. */
  const settle = (changed: boolean): void => {
    if (!full) {
      unsynced ||= changed;
      return;
    }
    if (!changed && unsynced) database.exec('PRAGMA wal_checkpoint(PASSIVE)');
    unsynced = false;
  };
  return ({ durable }, work) => {
    setDurable(durable);
    const before = changes();
    database.exec('BEGIN IMMEDIATE');
    try {
      const result = work();
      database.exec('COMMIT');
      settle(changes() !== before);
      return result;
    } catch (error) {
      rollback(database);
      throw error;
    }
  };
}

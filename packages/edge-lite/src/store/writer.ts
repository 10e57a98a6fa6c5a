import { type Clock, type Logger, SelvedgeError, createStateMachine, explain, hasCode } from '@selvedge/kit';
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

/** Runs `work` as one transaction. It may run twice, so it changes nothing but the database. */
export type Writer = <T>(options: WriteOptions, work: () => T) => T;

export type StoreCondition =
  | { readonly kind: 'writing' }
  /** The disk takes nothing: writes are in memory until it does; durable ones are refused. */
  | { readonly kind: 'memory-only'; readonly sinceMs: number; readonly reason: string };

export interface WriterOptions {
  /** Bytes that may be held in memory while the disk takes nothing. */
  readonly maxHeldBytes: number;
  /** How often it is tried whether the disk takes them. */
  readonly retryMs: number;
}

export interface WriterDeps {
  readonly database: SqlDatabase;
  /** Whether the disk would take that many bytes. */
  readonly hasRoom: (bytes: number) => boolean;
  readonly clock: Pick<Clock, 'now' | 'monotonicMs'>;
  readonly log: Logger;
  /** What was held in memory is gone, although it was shown: the process cannot go on. */
  readonly onLost: (error: unknown) => void;
}

export interface StoreWriter {
  readonly write: Writer;
  readonly condition: StoreCondition;
  /** Writes what is held in memory, if the disk takes it now. Idempotent; nothing is written afterwards. */
  close(): void;
}

/** After some failures SQLite has rolled back by itself and has nothing left to roll back. */
function rollback(database: SqlDatabase): void {
  try {
    database.exec('ROLLBACK');
  } catch {
    return;
  }
}

/** Transactions that go to the file, each as durable as it is asked for. */
export function createTransactions(database: SqlDatabase): Writer {
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

const takesNothing = (error: unknown): boolean => hasCode(error, 'ResourceExhausted', 'Unavailable');

/** SQLite needs more than the changes themselves: whole pages, and the file's part of a checkpoint. */
const neededBytes = (held: number): number => 2 * held + 2 ** 20;

/**
 * A writer that outlives a full or broken disk: one transaction stays open, with its pages in memory, and takes all
 * writes as savepoints, until the disk takes it as a whole. Readers of the connection see no difference.
 */
class OutlivingWriter implements StoreWriter {
  readonly #options: WriterOptions;
  readonly #deps: WriterDeps;
  readonly #commit: Writer;
  readonly #state;
  #heldBytes = 0;
  #triedMs = 0;

  constructor(options: WriterOptions, deps: WriterDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#commit = createTransactions(deps.database);
    this.#state = createStateMachine<StoreCondition>(
      {
        name: 'store',
        initial: { kind: 'writing' },
        moves: { writing: ['memory-only'], 'memory-only': ['writing'] },
      },
      { log: deps.log },
    );
  }

  get condition(): StoreCondition {
    return this.#state.current;
  }

  readonly write: Writer = (options, work) => {
    if (this.condition.kind === 'memory-only') this.#retryIfDue(options.durable);
    if (this.condition.kind === 'memory-only') return this.#hold(options, work);
    try {
      return this.#commit(options, work);
    } catch (error) {
      if (options.durable || !takesNothing(error)) throw error;
      this.#open(error);
      return this.#hold(options, work);
    }
  };

  close(): void {
    try {
      this.#retry();
    } catch (error) {
      this.#deps.log.error('what was held in memory is lost', { error });
    }
    if (this.condition.kind === 'memory-only') rollback(this.#deps.database);
  }

  #retry(): void {
    const { database, hasRoom, log, onLost, clock } = this.#deps;
    if (this.condition.kind === 'writing') return;
    this.#triedMs = clock.monotonicMs();
    if (!hasRoom(neededBytes(this.#heldBytes))) return;
    try {
      database.exec('COMMIT; PRAGMA cache_spill = ON');
    } catch (error) {
      rollback(database);
      onLost(error);
      throw error;
    }
    this.#heldBytes = 0;
    this.#state.move({ kind: 'writing' });
    log.info('state is written to disk again');
  }

  #retryIfDue(durable: boolean): void {
    const due = this.#deps.clock.monotonicMs() - this.#triedMs >= this.#options.retryMs;
    if (durable || due) this.#retry();
  }

  #open(error: unknown): void {
    const { database, clock, log } = this.#deps;
    database.exec('PRAGMA cache_spill = OFF; BEGIN IMMEDIATE');
    this.#triedMs = clock.monotonicMs();
    this.#state.move({ kind: 'memory-only', sinceMs: clock.now(), reason: explain(error) });
    log.error('the disk takes nothing: state is kept in memory only', { error });
  }

  #hold<T>({ durable, bytes = 0 }: WriteOptions, work: () => T): T {
    const { database } = this.#deps;
    const { maxHeldBytes } = this.#options;
    if (durable || this.#heldBytes + bytes > maxHeldBytes) {
      throw new SelvedgeError('the disk takes nothing, and this must not be in memory only', {
        code: 'ResourceExhausted',
        hint: 'free some disk space',
      });
    }
    database.exec('SAVEPOINT held');
    try {
      const result = work();
      database.exec('RELEASE held');
      this.#heldBytes += bytes;
      return result;
    } catch (error) {
      database.exec('ROLLBACK TO held; RELEASE held');
      throw error;
    }
  }
}

export const createWriter = (options: WriterOptions, deps: WriterDeps): StoreWriter =>
  new OutlivingWriter(options, deps);

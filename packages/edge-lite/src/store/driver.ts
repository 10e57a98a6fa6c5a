/** What a column holds. */
export type SqlValue = string | number | Uint8Array | null;
export type SqlRow = Readonly<Record<string, SqlValue>>;

/** A prepared statement; values bind to `?` in order. */
export interface SqlStatement {
  /** Runs it and says how many rows changed. */
  run(...values: readonly SqlValue[]): number;
  /** The first row, if any. */
  get(...values: readonly SqlValue[]): SqlRow | undefined;
  all(...values: readonly SqlValue[]): readonly SqlRow[];
  /** Hands the rows over one by one for as long as `take` returns true. `take` must ask nothing of the database. */
  each(take: (row: SqlRow) => boolean, ...values: readonly SqlValue[]): void;
}

/** One open SQLite file, used from one thread. Errors are `SelvedgeError`s, see `sqliteError`. */
export interface SqlDatabase {
  /** Runs statements that take and return nothing. */
  exec(sql: string): void;
  prepare(sql: string): SqlStatement;
  /** Idempotent. */
  close(): void;
}

/**
 * Opens or creates the file at `path`; `:memory:` is a database that nothing else sees. A file that another process
 * has locked is refused at once.
 */
export type OpenDatabase = (path: string) => SqlDatabase;

/**
 * `node` is `node:sqlite`, for the bundle and single executables, which cannot load an addon; `better` is
 * better-sqlite3, for plain installs.
 */
export type DriverName = 'better' | 'node';

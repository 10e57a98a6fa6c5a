import type { OpenDatabase, SqlRow, SqlStatement, SqlValue } from './driver.ts';
import { sqliteError } from './sqlite-error.ts';

/** Loads better-sqlite3, an addon that plain installs have and the bundle has not. */
export async function loadBetterSqlite3(): Promise<OpenDatabase> {
  const { default: Database } = await import('better-sqlite3');
  return (path) => {
    const guard = <T>(work: () => T): T => {
      try {
        return work();
      } catch (error) {
        throw sqliteError(path, error);
      }
    };
    const database = guard(() => new Database(path, { timeout: 0 }));
    const prepare = (sql: string): SqlStatement => {
      const statement = guard(() => database.prepare<SqlValue[], SqlRow>(sql));
      return {
        run: (...values: SqlValue[]) => guard(() => statement.run(...values).changes),
        get: (...values: SqlValue[]) => guard(() => statement.get(...values)),
        all: (...values: SqlValue[]) => guard(() => statement.all(...values)),
        each: (take: (row: SqlRow) => boolean, ...values: SqlValue[]) =>
          guard(() => {
            for (const row of statement.iterate(...values)) if (!take(row)) return;
          }),
      };
    };
    return {
      exec: (sql) => {
        guard(() => database.exec(sql));
      },
      prepare,
      close: () => {
        guard(() => database.close());
      },
    };
  };
}

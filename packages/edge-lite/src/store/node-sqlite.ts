import type { OpenDatabase, SqlRow, SqlStatement, SqlValue } from './driver.ts';
import { sqliteError } from './sqlite-error.ts';

/** Loads `node:sqlite`, which needs no addon. */
export async function loadNodeSqlite(): Promise<OpenDatabase> {
  const { DatabaseSync } = await import('node:sqlite');
  return (path) => {
    const guard = <T>(work: () => T): T => {
      try {
        return work();
      } catch (error) {
        throw sqliteError(path, error);
      }
    };
    const database = guard(() => new DatabaseSync(path));
    const prepare = (sql: string): SqlStatement => {
      const statement = guard(() => database.prepare(sql));
      return {
        run: (...values: SqlValue[]) => guard(() => Number(statement.run(...values).changes)),
        get: (...values: SqlValue[]) => guard(() => statement.get(...values) as SqlRow | undefined),
        all: (...values: SqlValue[]) => guard(() => statement.all(...values) as SqlRow[]),
        each: (take: (row: SqlRow) => boolean, ...values: SqlValue[]) =>
          guard(() => {
            for (const row of statement.iterate(...values) as Iterable<SqlRow>) if (!take(row)) return;
          }),
      };
    };
    return {
      exec: (sql) => guard(() => database.exec(sql)),
      prepare,
      close: () => {
        if (database.isOpen) guard(() => database.close());
      },
    };
  };
}

import { hasCode } from '@selvedge/kit';
import type { SqlDatabase, SqlRow } from '../driver.ts';

export interface Readable {
  readonly rows: Iterable<SqlRow>;
  /** Whether every row was read; to be asked when `rows` has ended. */
  readonly complete: () => boolean;
}

interface Range {
  readonly from: number;
  readonly to: number;
}

/** Rows read at a time, and failed reads after which the rest of a table is given up. */
const batch = 200;
const maxFailures = 20_000;
const unknown: Range = { from: 0, to: 2 ** 32 };

const quoted = (name: string): string => `"${name}"`;

function boundsOf(database: SqlDatabase, table: string): Range {
  try {
    const row = database.prepare(`SELECT min(rowid) AS low, max(rowid) AS high FROM ${quoted(table)}`).get();
    return { from: Number(row?.['low'] ?? 0), to: Number(row?.['high'] ?? -1) };
  } catch {
    return unknown;
  }
}

/**
 * What can be read of a table of a damaged file, in the order of its rowids. A range that cannot be read is halved until
 * the damage is around single rows: a damaged page costs the rows in it, not those behind it. The columns are told by
 * their places, for their names may be damaged, too.
 */
export function readable(database: SqlDatabase, table: string, columns: readonly string[]): Readable {
  let failures = 0;
  const read = (
    statement: ReturnType<SqlDatabase['prepare']>,
    range: Range,
  ): readonly SqlRow[] | undefined => {
    try {
      return statement.all(range.from, range.to);
    } catch (error) {
      if (!hasCode(error, 'Corrupt', 'Unavailable', 'Internal')) throw error;
      failures += 1;
      return undefined;
    }
  };
  const named = (row: SqlRow): SqlRow => {
    const values = Object.values(row).slice(1);
    return Object.fromEntries(columns.map((column, index) => [column, values[index] ?? null]));
  };
  function* rows(): Generator<SqlRow> {
    const statement = database.prepare(
      `SELECT rowid AS rowid_, * FROM ${quoted(table)} WHERE rowid BETWEEN ? AND ? ORDER BY rowid LIMIT ${batch}`,
    );
    const ranges: Range[] = [boundsOf(database, table)];
    for (let range = ranges.pop(); range !== undefined; range = ranges.pop()) {
      if (failures > maxFailures) return;
      const { from, to } = range;
      if (from > to) continue;
      const found = read(statement, range);
      if (found === undefined) {
        const middle = Math.floor((from + to) / 2);
        if (from < to) ranges.push({ from: middle + 1, to }, { from, to: middle });
        continue;
      }
      yield* found.map(named);
      const last = found.length < batch ? undefined : found.at(-1)?.['rowid_'];
      if (typeof last === 'number') ranges.push({ from: last + 1, to });
    }
  }
  return { rows: rows(), complete: () => failures === 0 };
}

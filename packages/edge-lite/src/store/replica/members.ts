import type { SqlDatabase } from '../driver.ts';

/** Which coverage holds which row. Writes belong to the caller's transaction. */
export interface MemberTable {
  /** Coverages that hold a row. */
  holders(row: number): readonly number[];
  /** At most `limit` rows of a coverage, behind `after`, in the order of their ids. */
  rowsOf(coverage: number, after: number, limit: number): readonly number[];
  hold(row: number, coverage: number): void;
  release(row: number, coverage: number): void;
}

/** SQL of a member's check sum, which the table demands: any one bit that flips in either number changes it. */
export const memberSum = (row: string, coverage: string): string =>
  `((${row} * 40503 + ${coverage} * 30029) & 4294967295)`;

export function createMemberTable(database: SqlDatabase): MemberTable {
  const holders = database.prepare('SELECT coverage FROM replica_members WHERE "row" = ?');
  const rows = database.prepare(
    'SELECT "row" FROM replica_members WHERE coverage = ? AND "row" > ? ORDER BY "row" LIMIT ?',
  );
  const hold = database.prepare(
    `INSERT INTO replica_members ("row", coverage, sum)
     SELECT held, holder, ${memberSum('held', 'holder')} FROM (SELECT ? AS held, ? AS holder) WHERE true
     ON CONFLICT DO NOTHING`,
  );
  const release = database.prepare('DELETE FROM replica_members WHERE "row" = ? AND coverage = ?');
  return {
    holders: (row) => holders.all(row).map((found) => Number(found['coverage'])),
    rowsOf: (coverage, after, limit) => rows.all(coverage, after, limit).map((row) => Number(row['row'])),
    hold: (row, coverage) => void hold.run(row, coverage),
    release: (row, coverage) => void release.run(row, coverage),
  };
}

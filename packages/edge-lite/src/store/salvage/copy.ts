import type { BodyCodec } from '../body.ts';
import type { SqlDatabase, SqlRow, SqlValue } from '../driver.ts';
import { decodeCoverage, decodeOrder } from '../replica/coverages.ts';
import { overlayName } from '../replica/overlays.ts';
import { decodeRow } from '../replica/rows.ts';
import { runtimeName } from '../runtime.ts';
import { readable } from './readable.ts';

/** What came over of one table. */
export interface Copied {
  readonly table: string;
  readonly kept: number;
  /** Nothing was unreadable, and nothing was other than written. */
  readonly complete: boolean;
}

type Check = (codec: BodyCodec, row: SqlRow) => void;

const key = (
  row: SqlRow,
): { readonly resource: string; readonly namespace: string; readonly name: string } => ({
  resource: String(row['resource']),
  namespace: String(row['namespace']),
  name: String(row['name']),
});

/** The tables that are worth it, with what proves that a row is as it was written. */
const tables: Readonly<Record<string, Check>> = {
  runtime: (codec, row) => {
    const name = runtimeName(String(row['kind']), String(row['key']));
    JSON.parse(codec.decode(name, { form: row['sealed'], bytes: row['body'] }));
  },
  replica_rows: decodeRow,
  replica_members: () => undefined,
  replica_coverages: decodeCoverage,
  replica_orders: decodeOrder,
  replica_overlays: (codec, row) =>
    JSON.parse(codec.decode(overlayName(key(row)), { form: row['form'], bytes: row['body'] })) as void,
};

export interface CopyDeps {
  readonly from: SqlDatabase;
  readonly to: SqlDatabase;
  readonly codec: BodyCodec;
}

function succeeds(work: () => void): boolean {
  try {
    work();
    return true;
  } catch {
    return false;
  }
}

function copyTable(table: string, check: Check, { from, to, codec }: CopyDeps): Copied {
  const columns = to.prepare(`PRAGMA table_info(${table})`).all();
  const names = columns.map((column) => String(column['name']));
  const marks = names.map(() => '?').join(', ');
  const quoted = names.map((name) => `"${name}"`).join(', ');
  const insert = to.prepare(`INSERT INTO ${table} (${quoted}) VALUES (${marks})`);
  let kept = 0;
  let refused = 0;
  const source = readable(from, table, names);
  const copy = (row: SqlRow): void => {
    check(codec, row);
    insert.run(...names.map((name): SqlValue => row[name] ?? null));
  };
  const all = succeeds(() => {
    for (const row of source.rows) {
      if (succeeds(() => copy(row))) kept += 1;
      else refused += 1;
    }
  });
  return { table, kept, complete: all && refused === 0 && source.complete() };
}

/** Copies every row that can be read and is as it was written. `to` has the schema of `from`. */
export function copyReadable(deps: CopyDeps): readonly Copied[] {
  const known = new Set(
    deps.to
      .prepare("SELECT name FROM sqlite_schema WHERE type = 'table'")
      .all()
      .map(({ name }) => String(name)),
  );
  deps.to.exec('BEGIN');
  const copied = Object.entries(tables)
    .filter(([table]) => known.has(table))
    .map(([table, check]) => copyTable(table, check, deps));
  deps.to.exec('COMMIT');
  return copied;
}

import type { BodyCodec } from '../body.ts';
import type { SqlDatabase } from '../driver.ts';
import { createCoverageTable, createOrderTable } from '../replica/coverages.ts';
import { memberSum } from '../replica/members.ts';
import { createRowTable } from '../replica/rows.ts';
import type { Copied } from './copy.ts';

export interface MendDeps {
  readonly database: SqlDatabase;
  readonly codec: BodyCodec;
}

function holdings(database: SqlDatabase, sure: boolean): ReadonlySet<number> {
  const lacking = database.prepare(
    'SELECT DISTINCT coverage FROM replica_members WHERE "row" NOT IN (SELECT id FROM replica_rows)',
  );
  const all = database.prepare('SELECT id AS coverage FROM replica_coverages');
  return new Set((sure ? lacking : all).all().map(({ coverage }) => Number(coverage)));
}

/** A row that nobody holds was held by somebody: every row is. */
function hasOrphans(database: SqlDatabase): boolean {
  const orphan = 'SELECT 1 FROM replica_rows WHERE id NOT IN (SELECT "row" FROM replica_members) LIMIT 1';
  return database.prepare(orphan).get() !== undefined;
}

/**
 * What was saved as a replica that says nothing wrong: every coverage asks upstream anew; one that lost an object is not
 * complete any more, for an absence that it claimed would be false; versions go on above all that were seen, and
 * clients list again.
 */
export function mendReplica(copied: readonly Copied[], { database, codec }: MendDeps): void {
  const sure =
    copied.every(({ table, complete }) => complete || table !== 'replica_members') && !hasOrphans(database);
  const lost = holdings(database, sure);
  const coverages = createCoverageTable(database, codec);
  const orders = createOrderTable(database, codec);
  const rows = createRowTable(database, codec);
  database.exec('BEGIN');
  for (const coverage of coverages.all()) {
    coverages.put({ ...coverage, upstreamVersion: '', synced: coverage.synced && !lost.has(coverage.id) });
    if (!sure) adopt(database, coverage);
  }
  database.exec(`
    DELETE FROM replica_members WHERE "row" NOT IN (SELECT id FROM replica_rows)
      OR coverage NOT IN (SELECT id FROM replica_coverages);
    DELETE FROM replica_rows WHERE id NOT IN (SELECT "row" FROM replica_members);`);
  for (const { resource, reserved } of orders.all()) {
    const highest = rows.highestVersion(resource);
    const version = highest > reserved ? highest : reserved;
    orders.put({ resource, version, lastEntry: version, reserved: version });
  }
  database.exec('COMMIT');
}

/** Rows whose holder is not known any more are held by whoever may hold them, until its next list tells. */
function adopt(
  database: SqlDatabase,
  { id, resource, namespace }: { readonly id: number; readonly resource: string; readonly namespace: string },
): void {
  const orphans = database.prepare(
    `INSERT INTO replica_members ("row", coverage, sum)
     SELECT id, holder, ${memberSum('id', 'holder')} FROM replica_rows, (SELECT ? AS holder)
     WHERE resource = ? AND ? IN ('', namespace)
     ON CONFLICT DO NOTHING`,
  );
  orphans.run(id, resource, namespace);
}

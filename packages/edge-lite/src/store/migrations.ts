import { SelvedgeError } from '@selvedge/kit';
import type { OpenDatabase, SqlDatabase } from './driver.ts';

/** Forward only: step `i` brings version `i` to version `i + 1`. A step that was released is never edited. */
export const migrations: readonly string[] = [
  `CREATE TABLE objects (
     resource TEXT NOT NULL,
     namespace TEXT NOT NULL,
     name TEXT NOT NULL,
     resource_version TEXT NOT NULL,
     sealed INTEGER NOT NULL,
     body BLOB NOT NULL,
     PRIMARY KEY (resource, namespace, name)
   ) STRICT;
   CREATE TABLE collections (
     name TEXT PRIMARY KEY NOT NULL,
     resource_version TEXT NOT NULL,
     synced INTEGER NOT NULL
   ) STRICT;
   CREATE TABLE members (
     collection TEXT NOT NULL,
     resource TEXT NOT NULL,
     namespace TEXT NOT NULL,
     name TEXT NOT NULL,
     PRIMARY KEY (collection, resource, namespace, name)
   ) STRICT, WITHOUT ROWID;
   CREATE INDEX members_by_object ON members (resource, namespace, name);
   CREATE TABLE runtime (
     kind TEXT NOT NULL,
     key TEXT NOT NULL,
     sealed INTEGER NOT NULL,
     body BLOB NOT NULL,
     PRIMARY KEY (kind, key)
   ) STRICT;`,
  `CREATE TABLE seal_check (id INTEGER PRIMARY KEY CHECK (id = 1), body BLOB NOT NULL) STRICT;`,
  // Versions are decimal text: both drivers read integers as doubles, which end at 2^53. What no index repeats lies
  // in a body with its checksum.
  `CREATE TABLE replica_orders (resource TEXT PRIMARY KEY NOT NULL, form INTEGER NOT NULL, body BLOB NOT NULL) STRICT;
   CREATE TABLE replica_coverages (id INTEGER PRIMARY KEY, form INTEGER NOT NULL, body BLOB NOT NULL) STRICT;
   CREATE TABLE replica_rows (
     id INTEGER PRIMARY KEY,
     resource TEXT NOT NULL,
     namespace TEXT NOT NULL,
     name TEXT NOT NULL,
     upstream_version TEXT NOT NULL,
     version TEXT NOT NULL,
     form INTEGER NOT NULL,
     body BLOB NOT NULL,
     shown BLOB,
     UNIQUE (resource, namespace, name)
   ) STRICT;
   CREATE TABLE replica_members (
     "row" INTEGER NOT NULL,
     coverage INTEGER NOT NULL,
     PRIMARY KEY ("row", coverage)
   ) STRICT;
   CREATE INDEX replica_members_by_coverage ON replica_members (coverage, "row");
   CREATE TABLE replica_overlays (
     resource TEXT NOT NULL,
     namespace TEXT NOT NULL,
     name TEXT NOT NULL,
     form INTEGER NOT NULL,
     body BLOB NOT NULL,
     PRIMARY KEY (resource, namespace, name)
   ) STRICT;`,
  'DROP TABLE members; DROP TABLE collections; DROP TABLE objects;',
  // A bit that flips in a table and shows in no index would move an object from one coverage to another.
  `CREATE TABLE checked_members (
     "row" INTEGER NOT NULL,
     coverage INTEGER NOT NULL,
     sum INTEGER NOT NULL CHECK (sum = (("row" * 40503 + coverage * 30029) & 4294967295)),
     PRIMARY KEY ("row", coverage)
   ) STRICT;
   INSERT INTO checked_members
     SELECT "row", coverage, ("row" * 40503 + coverage * 30029) & 4294967295 FROM replica_members;
   DROP TABLE replica_members;
   ALTER TABLE checked_members RENAME TO replica_members;
   CREATE INDEX replica_members_by_coverage ON replica_members (coverage, "row");`,
];

export function schemaVersion(database: SqlDatabase): number {
  return Number(database.prepare('PRAGMA user_version').get()?.['user_version'] ?? 0);
}

const schemaOf = (database: SqlDatabase): string =>
  JSON.stringify(database.prepare('SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY name').all());

/**
 * Whether the schema is that of the version which the file names: SQLite takes its word for it, a column's name with a bit
 * that flipped included. What a newer program made is not judged.
 */
export function isSchemaWhole(database: SqlDatabase, open: OpenDatabase): boolean {
  const version = schemaVersion(database);
  const found = schemaOf(database);
  const fresh = open(':memory:');
  try {
    migrate(fresh, Math.min(version, migrations.length));
    const isKnown = found === schemaOf(fresh);
    return version > migrations.length ? !isKnown : isKnown;
  } finally {
    fresh.close();
  }
}

/** Brings the schema to `target` (default: the newest), each step in a transaction of its own. */
export function migrate(database: SqlDatabase, target = migrations.length): void {
  const from = schemaVersion(database);
  if (from > target) {
    const message = `the database has schema version ${from}, this program knows ${target}`;
    throw new SelvedgeError(message, { code: 'Unsupported', hint: 'run the newer edge-lite again' });
  }
  for (const [index, step] of migrations.slice(0, target).entries()) {
    if (index < from) continue;
    database.exec(`BEGIN IMMEDIATE; ${step} PRAGMA user_version = ${index + 1}; COMMIT`);
  }
}

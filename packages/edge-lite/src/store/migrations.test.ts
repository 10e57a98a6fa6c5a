import { describe, expect, test } from 'vitest';
import type { SqlDatabase } from './driver.ts';
import { loadDriver } from './drivers.ts';
import { isSchemaWhole, migrate, migrations, schemaVersion } from './migrations.ts';

const open = await loadDriver('node');
const schema = (database: SqlDatabase): readonly unknown[] =>
  database.prepare('SELECT type, name, sql FROM sqlite_schema ORDER BY name').all();

/** Rows that a node of the given version would have; each new version adds its own. */
const samples: Readonly<Record<number, string>> = {
  1: `INSERT INTO objects VALUES ('pods', 'default', 'web', '41', 0, x'7b7d');
      INSERT INTO collections VALUES ('pods', '41', 1);
      INSERT INTO members VALUES ('pods', 'pods', 'default', 'web');
      INSERT INTO runtime VALUES ('container', 'abc', 0, x'7b7d')`,
  2: `INSERT INTO seal_check VALUES (1, x'00')`,
  3: `INSERT INTO replica_orders VALUES ('v1/pods', 2, x'7b7d');
      INSERT INTO replica_coverages VALUES (1, 2, x'7b7d');
      INSERT INTO replica_rows VALUES (1, 'v1/pods', 'default', 'web', '41', '42991616', 2, x'7b7d', NULL);
      INSERT INTO replica_members VALUES (1, 1);
      INSERT INTO replica_overlays VALUES ('v1/pods', 'default', 'web', 2, x'7b7d')`,
  4: '',
  5: 'INSERT INTO replica_members VALUES (2, 1, 111035)',
};

describe.each(migrations.map((_, version) => version))('from version %i', (version) => {
  test('the schema becomes that of a new database and the rows stay', () => {
    const fresh = open(':memory:');
    migrate(fresh);
    const old = open(':memory:');
    for (let step = 1; step <= version; step += 1) {
      migrate(old, step);
      old.exec(samples[step] ?? '');
    }
    expect(isSchemaWhole(old, open)).toBe(true);
    migrate(old);
    expect(schema(old)).toEqual(schema(fresh));
    expect(schemaVersion(old)).toBe(migrations.length);
    const kept = version >= 1 ? 1 : 0;
    expect(old.prepare('SELECT key FROM runtime').all()).toHaveLength(kept);
    const rows = old.prepare('SELECT name FROM replica_rows').all();
    expect(rows).toHaveLength(version >= 3 ? 1 : 0);
    const members = old.prepare('SELECT "row", coverage FROM replica_members WHERE "row" = 1').all();
    expect(members).toEqual(version >= 3 ? [{ row: 1, coverage: 1 }] : []);
    old.close();
    fresh.close();
  });
});

test('every version has sample rows', () => {
  expect(Object.keys(samples)).toHaveLength(migrations.length);
});

test('a database of a newer program is refused', () => {
  const database = open(':memory:');
  database.exec(`PRAGMA user_version = ${migrations.length + 1}`);
  expect(() => migrate(database)).toThrow(expect.objectContaining({ code: 'Unsupported' }));
  database.close();
});

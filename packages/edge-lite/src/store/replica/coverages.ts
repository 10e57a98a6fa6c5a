import type { SqlDatabase } from '../driver.ts';

/** One upstream list-watch as it is kept. */
export interface CoverageRow {
  readonly id: number;
  readonly resource: string;
  readonly namespace: string;
  readonly labelSelector: string;
  readonly fieldSelector: string;
  readonly upstreamVersion: string;
  readonly synced: boolean;
}

/** How far the history of one resource is. */
export interface OrderRow {
  readonly resource: string;
  readonly version: bigint;
  readonly lastEntry: bigint;
  readonly reserved: bigint;
}

/** Writes belong to the caller's transaction; rows that say so already are left alone. */
export interface CoverageTable {
  all(): readonly CoverageRow[];
  put(coverage: CoverageRow): void;
  remove(id: number): void;
}

export interface OrderTable {
  all(): readonly OrderRow[];
  put(order: OrderRow): void;
}

export function createCoverageTable(database: SqlDatabase): CoverageTable {
  const all = database.prepare('SELECT * FROM replica_coverages ORDER BY id');
  const put = database.prepare(
    `INSERT INTO replica_coverages
       (id, resource, namespace, label_selector, field_selector, upstream_version, synced)
     VALUES (?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (id) DO UPDATE SET upstream_version = excluded.upstream_version, synced = excluded.synced
     WHERE upstream_version <> excluded.upstream_version OR synced <> excluded.synced`,
  );
  const remove = database.prepare('DELETE FROM replica_coverages WHERE id = ?');
  return {
    all: () =>
      all.all().map((row) => ({
        id: Number(row['id']),
        resource: String(row['resource']),
        namespace: String(row['namespace']),
        labelSelector: String(row['label_selector']),
        fieldSelector: String(row['field_selector']),
        upstreamVersion: String(row['upstream_version']),
        synced: row['synced'] === 1,
      })),
    put: (row) => {
      const { id, resource, namespace, labelSelector, fieldSelector, upstreamVersion, synced } = row;
      const spec = [resource, namespace, labelSelector, fieldSelector];
      put.run(id, ...spec, upstreamVersion, synced ? 1 : 0);
    },
    remove: (id) => void remove.run(id),
  };
}

export function createOrderTable(database: SqlDatabase): OrderTable {
  const all = database.prepare('SELECT resource, version, last_entry, reserved FROM replica_resources');
  const put = database.prepare(
    `INSERT INTO replica_resources (resource, version, last_entry, reserved) VALUES (?, ?, ?, ?)
     ON CONFLICT (resource) DO UPDATE
     SET version = excluded.version, last_entry = excluded.last_entry, reserved = excluded.reserved`,
  );
  return {
    all: () =>
      all.all().map((row) => ({
        resource: String(row['resource']),
        version: BigInt(String(row['version'])),
        lastEntry: BigInt(String(row['last_entry'])),
        reserved: BigInt(String(row['reserved'])),
      })),
    put: ({ resource, version, lastEntry, reserved }) =>
      void put.run(resource, version.toString(), lastEntry.toString(), reserved.toString()),
  };
}

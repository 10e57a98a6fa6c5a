import type { BodyCodec } from '../body.ts';
import type { SqlDatabase, SqlRow } from '../driver.ts';

/** One upstream list-watch as it is kept. */
export interface CoverageRow {
  readonly id: number;
  readonly resource: string;
  readonly namespace: string;
  readonly labelSelector: string;
  readonly fieldSelector: string;
  readonly upstreamVersion: string;
  readonly synced: boolean;
  readonly completeSince?: string | undefined;
}

/** How far the history of one resource is. */
export interface OrderRow {
  readonly resource: string;
  readonly version: bigint;
  readonly lastEntry: bigint;
  readonly reserved: bigint;
}

/** Writes belong to the caller's transaction. Reads throw `Corrupt` for a row that is not as it was written. */
export interface CoverageTable {
  all(): readonly CoverageRow[];
  put(coverage: CoverageRow): void;
  remove(id: number): void;
}

export interface OrderTable {
  all(): readonly OrderRow[];
  put(order: OrderRow): void;
}

/** The checksums of bodies are over these, too. */
const coverageName = (id: unknown): string => `replica_coverages/${String(id)}`;
const orderName = (resource: unknown): string => `replica_orders/${String(resource)}`;

function documentOf(codec: BodyCodec, name: string, row: SqlRow): unknown {
  return JSON.parse(codec.decode(name, { form: row['form'], bytes: row['body'] }));
}

export function decodeCoverage(codec: BodyCodec, row: SqlRow): CoverageRow {
  const document = documentOf(codec, coverageName(row['id']), row) as Omit<CoverageRow, 'id'>;
  return { ...document, id: Number(row['id']) };
}

export function decodeOrder(codec: BodyCodec, row: SqlRow): OrderRow {
  const text = documentOf(codec, orderName(row['resource']), row) as Readonly<Record<string, string>>;
  const version = (of: string): bigint => BigInt(text[of] ?? '0');
  return {
    resource: String(row['resource']),
    version: version('version'),
    lastEntry: version('lastEntry'),
    reserved: version('reserved'),
  };
}

export function createCoverageTable(database: SqlDatabase, codec: BodyCodec): CoverageTable {
  const all = database.prepare('SELECT * FROM replica_coverages ORDER BY id');
  const put = database.prepare(
    `INSERT INTO replica_coverages (id, form, body) VALUES (?, ?, ?)
     ON CONFLICT (id) DO UPDATE SET form = excluded.form, body = excluded.body`,
  );
  const remove = database.prepare('DELETE FROM replica_coverages WHERE id = ?');
  return {
    all: () => all.all().map((row) => decodeCoverage(codec, row)),
    put: ({ id, ...document }) => {
      const { form, bytes } = codec.encode(coverageName(id), JSON.stringify(document), false);
      put.run(id, form, bytes);
    },
    remove: (id) => void remove.run(id),
  };
}

export function createOrderTable(database: SqlDatabase, codec: BodyCodec): OrderTable {
  const all = database.prepare('SELECT * FROM replica_orders');
  const put = database.prepare(
    `INSERT INTO replica_orders (resource, form, body) VALUES (?, ?, ?)
     ON CONFLICT (resource) DO UPDATE SET form = excluded.form, body = excluded.body`,
  );
  return {
    all: () => all.all().map((row) => decodeOrder(codec, row)),
    put: ({ resource, version, lastEntry, reserved }) => {
      const document = { version: `${version}`, lastEntry: `${lastEntry}`, reserved: `${reserved}` };
      const { form, bytes } = codec.encode(orderName(resource), JSON.stringify(document), false);
      put.run(resource, form, bytes);
    },
  };
}

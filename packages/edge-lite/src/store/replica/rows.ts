import type { Body, BodyCodec } from '../body.ts';
import type { SqlDatabase, SqlRow, SqlStatement, SqlValue } from '../driver.ts';

/** Names one row: a held resource (`v1/pods`, `v1/pods;metadata`) and an object of it. */
export interface RowKey {
  readonly resource: string;
  /** Empty in the cluster scope. */
  readonly namespace: string;
  readonly name: string;
}

/** One object of the replica. */
export interface ReplicaRow extends RowKey {
  /** Given by the replica, unique in a database. */
  readonly id: number;
  /** Upstream's own version of `body`. */
  readonly upstreamVersion: string;
  /** The version under which it is shown. */
  readonly version: bigint;
  /** JSON as upstream has it, but for its resourceVersion, which is `version`. */
  readonly body: string;
  /** JSON as clients see it where an overlay or a view makes it another one. */
  readonly shown: string | undefined;
}

export interface RowQuery {
  /** Undefined: all namespaces. */
  readonly namespace: string | undefined;
  /** Only rows behind it, in the order of namespace and name. */
  readonly after: { readonly namespace: string; readonly name: string } | undefined;
  readonly limit: number;
}

/** Writes belong to the caller's transaction. */
export interface RowTable {
  get(key: RowKey): ReplicaRow | undefined;
  byId(id: number): ReplicaRow | undefined;
  /** At most `limit` rows, the last of them that with which their text is `maxPageText` or more. None: that was all. */
  page(resource: string, query: RowQuery): readonly ReplicaRow[];
  put(row: ReplicaRow): void;
  remove(id: number): void;
  /** How many rows each resource has. */
  counts(): ReadonlyMap<string, number>;
  /** The highest version of a resource's rows; 0 without rows. */
  highestVersion(resource: string): bigint;
  highestId(): number;
}

/** Characters of JSON that are read at a time, and one object more. */
export const maxPageText = 128 * 1024;

/** Bodies of these are sealed: Secrets, and their metadata, which may quote them in annotations. */
export const isSecret = (resource: string): boolean => /^v\d\w*\/secrets(;metadata)?$/.test(resource);

/** The checksum of a body is over this, too. */
const rowName = (
  column: 'body' | 'shown',
  row: Omit<ReplicaRow, 'body' | 'shown' | 'version'> & { readonly version: bigint | string },
): string =>
  [
    'replica_rows',
    column,
    row.resource,
    row.namespace,
    row.name,
    row.id,
    row.upstreamVersion,
    row.version,
  ].join('/');

const columns = 'id, resource, namespace, name, upstream_version, version, form, body, shown';

/** Throws `Corrupt` for a row that is not as it was written; its version is one because the checksum says so. */
export function decodeRow(codec: BodyCodec, row: SqlRow): ReplicaRow {
  const head = {
    resource: String(row['resource']),
    namespace: String(row['namespace']),
    name: String(row['name']),
    id: Number(row['id']),
    upstreamVersion: String(row['upstream_version']),
    version: String(row['version']),
  };
  const open = (column: 'body' | 'shown'): string =>
    codec.decode(rowName(column, head), { form: row['form'], bytes: row[column] });
  const body = open('body');
  const shown = row['shown'] === null ? undefined : open('shown');
  return { ...head, version: BigInt(head.version), body, shown };
}

function createPut(database: SqlDatabase, codec: BodyCodec): RowTable['put'] {
  const put = database.prepare(
    `INSERT INTO replica_rows (${columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (id) DO UPDATE SET upstream_version = excluded.upstream_version, version = excluded.version,
       form = excluded.form, body = excluded.body, shown = excluded.shown`,
  );
  return (row) => {
    const sealed = isSecret(row.resource);
    const encode = (column: 'body' | 'shown', json: string): Body =>
      codec.encode(rowName(column, row), json, sealed);
    const { form, bytes } = encode('body', row.body);
    const shown = row.shown === undefined ? null : encode('shown', row.shown).bytes;
    const key: SqlValue[] = [row.id, row.resource, row.namespace, row.name];
    put.run(...key, row.upstreamVersion, row.version.toString(), form, bytes, shown);
  };
}

/** As many of the rows as are read at a time; what comes behind them is not even fetched. */
function pageOf(
  statement: SqlStatement,
  decode: (row: SqlRow) => ReplicaRow,
  values: readonly SqlValue[],
): readonly ReplicaRow[] {
  const page: ReplicaRow[] = [];
  let text = 0;
  const take = (encoded: SqlRow): boolean => {
    const row = decode(encoded);
    page.push(row);
    text += row.body.length + (row.shown?.length ?? 0);
    return text < maxPageText;
  };
  statement.each(take, ...values);
  return page;
}

function createPage(database: SqlDatabase, decode: (row: SqlRow) => ReplicaRow): RowTable['page'] {
  const all = database.prepare(
    `SELECT ${columns} FROM replica_rows WHERE resource = ? AND (namespace, name) > (?, ?)
     ORDER BY namespace, name LIMIT ?`,
  );
  const inNamespace = database.prepare(
    `SELECT ${columns} FROM replica_rows WHERE resource = ? AND namespace = ? AND name > ?
     ORDER BY name LIMIT ?`,
  );
  return (resource, { namespace, after, limit }) => {
    if (namespace === undefined) {
      const { namespace: space, name } = after ?? { namespace: '', name: '' };
      return pageOf(all, decode, [resource, space, name, limit]);
    }
    if (after !== undefined && after.namespace > namespace) return [];
    const name = after?.namespace === namespace ? after.name : '';
    return pageOf(inNamespace, decode, [resource, namespace, name, limit]);
  };
}

export function createRowTable(database: SqlDatabase, codec: BodyCodec): RowTable {
  const decode = (row: SqlRow): ReplicaRow => decodeRow(codec, row);
  const get = database.prepare(
    `SELECT ${columns} FROM replica_rows WHERE resource = ? AND namespace = ? AND name = ?`,
  );
  const byId = database.prepare(`SELECT ${columns} FROM replica_rows WHERE id = ?`);
  const remove = database.prepare('DELETE FROM replica_rows WHERE id = ?');
  const counts = database.prepare('SELECT resource, count(*) AS n FROM replica_rows GROUP BY resource');
  const versions = database.prepare(
    'SELECT version FROM replica_rows WHERE resource = ? ORDER BY length(version) DESC, version DESC LIMIT 1',
  );
  const highestId = database.prepare('SELECT max(id) AS id FROM replica_rows');
  const decoded = (row: SqlRow | undefined): ReplicaRow | undefined =>
    row === undefined ? undefined : decode(row);
  return {
    get: ({ resource, namespace, name }) => decoded(get.get(resource, namespace, name)),
    byId: (id) => decoded(byId.get(id)),
    page: createPage(database, decode),
    put: createPut(database, codec),
    remove: (id) => void remove.run(id),
    counts: () => new Map(counts.all().map((row) => [String(row['resource']), Number(row['n'])])),
    highestVersion: (resource) => BigInt(String(versions.get(resource)?.['version'] ?? '0')),
    highestId: () => Number(highestId.get()?.['id'] ?? 0),
  };
}

import { BoundedMap } from '@selvedge/kit';
import { type Body, type BodyCodec, bodyOf } from './body.ts';
import { type CollectionState, createCollections } from './collections.ts';
import type { SqlDatabase, SqlRow, SqlValue } from './driver.ts';
import type { ObjectKey } from './object-key.ts';
import type { WriteOptions, Writer } from './writer.ts';

export interface ObjectPut {
  readonly key: ObjectKey;
  /** The object's own, beside its body: to be known without opening it. */
  readonly resourceVersion: string;
  readonly object: unknown;
}

export interface ObjectBatch {
  /** The collection (list-watch) that these changes come from, and how far it is with them. */
  readonly collection: string;
  readonly state: CollectionState;
  readonly puts: readonly ObjectPut[];
  /** The collection holds them no longer; they go when no other one holds them. */
  readonly deletes: readonly ObjectKey[];
}

/**
 * API objects as they were last seen upstream; the only copy on this node. What it hands out is shared and must not
 * be changed.
 */
export interface ObjectRepository {
  get(key: ObjectKey): unknown;
  /** The `resourceVersion` of the object; its body is not read. */
  version(key: ObjectKey): string | undefined;
  /** The keys of all objects of `resource`, or of those in one namespace, ordered. */
  keys(resource: string, namespace?: string): readonly ObjectKey[];
  collection(name: string): CollectionState | undefined;
  /** The names of all collections that begin so, ordered. */
  collections(prefix: string): readonly string[];
  /** The keys of the objects that the collection holds, ordered. Several collections may hold the same object. */
  members(collection: string): readonly ObjectKey[];
  /** Writes one batch in one transaction; rows that already say so are left alone. Returns the keys that changed. */
  apply(batch: ObjectBatch, options: WriteOptions): readonly ObjectKey[];
  /** Forgets a collection and the objects that no other one holds. Not durable. */
  dropCollection(name: string): void;
}

export interface ObjectsOptions {
  /** Parsed objects kept in memory; others are read from disk on demand. */
  readonly maxCached: number;
  /** Resources whose bodies are sealed; they are not kept in memory either. */
  readonly sealed: ReadonlySet<string>;
}

export interface ObjectsDeps {
  readonly database: SqlDatabase;
  readonly write: Writer;
  readonly codec: BodyCodec;
}

const rowOf = (key: ObjectKey): string => `objects/${key.resource}/${key.namespace}/${key.name}`;
const columns = (key: ObjectKey): SqlValue[] => [key.resource, key.namespace, key.name];

interface Statements {
  readonly get: (key: ObjectKey) => SqlRow | undefined;
  readonly version: (key: ObjectKey) => string | undefined;
  readonly put: (key: ObjectKey, resourceVersion: string, body: Body) => void;
  readonly remove: (key: ObjectKey) => boolean;
}

function prepareStatements(database: SqlDatabase): Statements {
  const byKey = 'WHERE resource = ? AND namespace = ? AND name = ?';
  const get = database.prepare(`SELECT sealed, body FROM objects ${byKey}`);
  const version = database.prepare(`SELECT resource_version FROM objects ${byKey}`);
  const put = database.prepare(
    `INSERT INTO objects (resource, namespace, name, resource_version, sealed, body) VALUES (?, ?, ?, ?, ?, ?)
     ON CONFLICT DO UPDATE
     SET resource_version = excluded.resource_version, sealed = excluded.sealed, body = excluded.body`,
  );
  const remove = database.prepare(`DELETE FROM objects ${byKey}`);
  return {
    get: (key) => get.get(...columns(key)),
    version: (key) => {
      const row = version.get(...columns(key));
      return row === undefined ? undefined : String(row['resource_version']);
    },
    put: (key, resourceVersion, { form, bytes }) => {
      put.run(...columns(key), resourceVersion, form, bytes);
    },
    remove: (key) => remove.run(...columns(key)) > 0,
  };
}

function prepareKeys(database: SqlDatabase): ObjectRepository['keys'] {
  const all = database.prepare(
    'SELECT namespace, name FROM objects WHERE resource = ? ORDER BY namespace, name',
  );
  const inNamespace = database.prepare(
    'SELECT namespace, name FROM objects WHERE resource = ? AND namespace = ? ORDER BY name',
  );
  return (resource, namespace) => {
    const found = namespace === undefined ? all.all(resource) : inNamespace.all(resource, namespace);
    return found.map((row) => ({
      resource,
      namespace: String(row['namespace']),
      name: String(row['name']),
    }));
  };
}

export function createObjectRepository(options: ObjectsOptions, deps: ObjectsDeps): ObjectRepository {
  const { database, write, codec } = deps;
  const rows = prepareStatements(database);
  const collections = createCollections(database);
  const cache = new BoundedMap<string, unknown>({ capacity: options.maxCached });

  const read = (key: ObjectKey): string | undefined => {
    const row = rows.get(key);
    if (row === undefined) return undefined;
    return codec.decode(rowOf(key), bodyOf(row['sealed'], row['body']));
  };
  const put = ({ key, resourceVersion, object }: ObjectPut): boolean => {
    const json = JSON.stringify(object);
    if (read(key) === json) return false;
    rows.put(key, resourceVersion, codec.encode(rowOf(key), json, options.sealed.has(key.resource)));
    return true;
  };
  /** True if it is gone: another collection may still hold it. */
  const release = (collection: string, key: ObjectKey): boolean =>
    !collections.release(collection, key) && rows.remove(key);
  const forget = (keys: readonly ObjectKey[]): void => {
    for (const key of keys) cache.delete(rowOf(key));
  };
  return {
    get(key) {
      const row = rowOf(key);
      const known = cache.get(row);
      if (known !== undefined) return known;
      const json = read(key);
      if (json === undefined) return undefined;
      const object: unknown = JSON.parse(json);
      if (!options.sealed.has(key.resource)) cache.set(row, object);
      return object;
    },
    version: rows.version,
    keys: prepareKeys(database),
    collection: collections.get,
    collections: collections.names,
    members: collections.members,
    apply({ collection, state, puts, deletes }, durability) {
      const changed = write(durability, () => {
        const written = puts.filter(put).map(({ key }) => key);
        for (const { key } of puts) collections.hold(collection, key);
        const gone = deletes.filter((key) => release(collection, key));
        collections.put(collection, state);
        return [...written, ...gone];
      });
      forget(changed);
      return changed;
    },
    dropCollection(name) {
      const gone = write({ durable: false }, () => {
        collections.remove(name);
        return collections.members(name).filter((key) => release(name, key));
      });
      forget(gone);
    },
  };
}

import { BoundedMap } from '@selvedge/kit';
import type { BodyCodec } from './body.ts';
import type { SqlDatabase, SqlRow, SqlValue } from './driver.ts';
import type { WriteOptions, Writer } from './writer.ts';

/** Names one API object: plural resource, namespace (empty when cluster-scoped), name. */
export interface ObjectKey {
  readonly resource: string;
  readonly namespace: string;
  readonly name: string;
}

/** How far one upstream list-watch has come. */
export interface CollectionState {
  /** Resume the watch here. */
  readonly resourceVersion: string;
  /** The held set was complete at some time. */
  readonly synced: boolean;
}

export interface ObjectBatch {
  /** The collection (list-watch) that these changes come from, and how far it is with them. */
  readonly collection: string;
  readonly state: CollectionState;
  readonly puts: readonly { readonly key: ObjectKey; readonly object: unknown }[];
  readonly deletes: readonly ObjectKey[];
}

/**
 * API objects as they were last seen upstream; the only copy on this node. What it hands out is shared and must not
 * be changed.
 */
export interface ObjectRepository {
  get(key: ObjectKey): unknown;
  /** The keys of all objects of `resource`, ordered. */
  keys(resource: string): readonly ObjectKey[];
  collection(name: string): CollectionState | undefined;
  /** Writes one batch in one transaction; rows that already say so are left alone. Returns the keys that changed. */
  apply(batch: ObjectBatch, options: WriteOptions): readonly ObjectKey[];
  /** Forgets how far a collection was, not its objects. */
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
  readonly put: (key: ObjectKey, sealed: boolean, bytes: Uint8Array) => void;
  readonly remove: (key: ObjectKey) => boolean;
}

function prepareStatements(database: SqlDatabase): Statements {
  const byKey = 'WHERE resource = ? AND namespace = ? AND name = ?';
  const get = database.prepare(`SELECT sealed, body FROM objects ${byKey}`);
  const put = database.prepare(
    `INSERT INTO objects (resource, namespace, name, sealed, body) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET sealed = excluded.sealed, body = excluded.body`,
  );
  const remove = database.prepare(`DELETE FROM objects ${byKey}`);
  return {
    get: (key) => get.get(...columns(key)),
    put: (key, sealed, bytes) => {
      put.run(...columns(key), sealed ? 1 : 0, bytes);
    },
    remove: (key) => remove.run(...columns(key)) > 0,
  };
}

export function createObjectRepository(options: ObjectsOptions, deps: ObjectsDeps): ObjectRepository {
  const { database, write, codec } = deps;
  const rows = prepareStatements(database);
  const keys = database.prepare(
    'SELECT namespace, name FROM objects WHERE resource = ? ORDER BY namespace, name',
  );
  const collections = createCollections(database);
  const cache = new BoundedMap<string, unknown>({ capacity: options.maxCached });

  const read = (key: ObjectKey): string | undefined => {
    const row = rows.get(key);
    if (row === undefined) return undefined;
    return codec.decode(rowOf(key), { sealed: row['sealed'] === 1, bytes: row['body'] as Uint8Array });
  };
  const put = (key: ObjectKey, object: unknown): boolean => {
    const json = JSON.stringify(object);
    if (read(key) === json) return false;
    const { sealed, bytes } = codec.encode(rowOf(key), json, options.sealed.has(key.resource));
    rows.put(key, sealed, bytes);
    return true;
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
    keys: (resource) =>
      keys.all(resource).map((row) => ({
        resource,
        namespace: String(row['namespace']),
        name: String(row['name']),
      })),
    collection: collections.get,
    apply(batch, durability) {
      const changed = write(durability, () => {
        const written = batch.puts.filter(({ key, object }) => put(key, object)).map(({ key }) => key);
        const gone = batch.deletes.filter((key) => rows.remove(key));
        collections.put(batch.collection, batch.state);
        return [...written, ...gone];
      });
      for (const key of changed) cache.delete(rowOf(key));
      return changed;
    },
    dropCollection(name) {
      write({ durable: false }, () => collections.remove(name));
    },
  };
}

interface Collections {
  readonly get: (name: string) => CollectionState | undefined;
  readonly put: (name: string, state: CollectionState) => void;
  readonly remove: (name: string) => void;
}

function createCollections(database: SqlDatabase): Collections {
  const get = database.prepare('SELECT resource_version, synced FROM collections WHERE name = ?');
  const put = database.prepare(
    `INSERT INTO collections (name, resource_version, synced) VALUES (?, ?, ?)
     ON CONFLICT (name) DO UPDATE SET resource_version = excluded.resource_version, synced = excluded.synced
     WHERE resource_version <> excluded.resource_version OR synced <> excluded.synced`,
  );
  const remove = database.prepare('DELETE FROM collections WHERE name = ?');
  return {
    get: (name) => {
      const row = get.get(name);
      if (row === undefined) return undefined;
      return { resourceVersion: String(row['resource_version']), synced: row['synced'] === 1 };
    },
    put: (name, { resourceVersion, synced }) => {
      put.run(name, resourceVersion, synced ? 1 : 0);
    },
    remove: (name) => {
      remove.run(name);
    },
  };
}

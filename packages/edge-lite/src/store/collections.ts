import type { SqlDatabase, SqlValue } from './driver.ts';
import type { ObjectKey } from './object-key.ts';

/** How far one upstream list-watch has come. */
export interface CollectionState {
  /** Resume the watch here. */
  readonly resourceVersion: string;
  /** The held set was complete at some time. */
  readonly synced: boolean;
}

/** Which list-watches there are, how far they are and which objects each of them holds. */
export interface Collections {
  readonly get: (name: string) => CollectionState | undefined;
  /** Names that begin so, ordered. */
  readonly names: (prefix: string) => readonly string[];
  readonly put: (name: string, state: CollectionState) => void;
  /** Its members are left to `release`. */
  readonly remove: (name: string) => void;
  readonly members: (collection: string) => readonly ObjectKey[];
  readonly hold: (collection: string, key: ObjectKey) => void;
  /** The collection holds the object no longer; true while another one does. */
  readonly release: (collection: string, key: ObjectKey) => boolean;
}

const columns = ({ resource, namespace, name }: ObjectKey): SqlValue[] => [resource, namespace, name];

function createMembers(database: SqlDatabase): Pick<Collections, 'members' | 'hold' | 'release'> {
  const byKey = 'resource = ? AND namespace = ? AND name = ?';
  const members = database.prepare(
    'SELECT resource, namespace, name FROM members WHERE collection = ? ORDER BY resource, namespace, name',
  );
  const add = database.prepare(
    'INSERT INTO members (collection, resource, namespace, name) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING',
  );
  const remove = database.prepare(`DELETE FROM members WHERE collection = ? AND ${byKey}`);
  const held = database.prepare(`SELECT 1 FROM members WHERE ${byKey} LIMIT 1`);
  return {
    members: (collection) =>
      members.all(collection).map((row) => ({
        resource: String(row['resource']),
        namespace: String(row['namespace']),
        name: String(row['name']),
      })),
    hold: (collection, key) => {
      add.run(collection, ...columns(key));
    },
    release: (collection, key) => {
      remove.run(collection, ...columns(key));
      return held.get(...columns(key)) !== undefined;
    },
  };
}

/** Writes nothing by itself in a transaction: that is the caller's. */
export function createCollections(database: SqlDatabase): Collections {
  const get = database.prepare('SELECT resource_version, synced FROM collections WHERE name = ?');
  const put = database.prepare(
    `INSERT INTO collections (name, resource_version, synced) VALUES (?, ?, ?)
     ON CONFLICT (name) DO UPDATE SET resource_version = excluded.resource_version, synced = excluded.synced
     WHERE resource_version <> excluded.resource_version OR synced <> excluded.synced`,
  );
  const names = database.prepare(
    'SELECT name FROM collections WHERE substr(name, 1, length(?)) = ? ORDER BY name',
  );
  const remove = database.prepare('DELETE FROM collections WHERE name = ?');
  return {
    ...createMembers(database),
    get: (name) => {
      const row = get.get(name);
      if (row === undefined) return undefined;
      return { resourceVersion: String(row['resource_version']), synced: row['synced'] === 1 };
    },
    names: (prefix) => names.all(prefix, prefix).map((row) => String(row['name'])),
    put: (name, { resourceVersion, synced }) => {
      put.run(name, resourceVersion, synced ? 1 : 0);
    },
    remove: (name) => {
      remove.run(name);
    },
  };
}

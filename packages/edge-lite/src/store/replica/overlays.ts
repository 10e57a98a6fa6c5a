import type { BodyCodec } from '../body.ts';
import type { SqlDatabase, SqlRow } from '../driver.ts';
import { type RowKey, isSecret } from './rows.ts';

/** One overlay: a JSON document that belongs to the replica. */
export interface OverlayRow extends RowKey {
  readonly json: string;
}

/** Writes belong to the caller's transaction. */
export interface OverlayTable {
  get(key: RowKey): string | undefined;
  /** Ordered by key. */
  all(): readonly OverlayRow[];
  put(overlay: OverlayRow): void;
  remove(key: RowKey): void;
}

/** The checksum of a body is over this, too. */
export const overlayName = ({ resource, namespace, name }: RowKey): string =>
  `replica_overlays/${resource}/${namespace}/${name}`;

export function createOverlayTable(database: SqlDatabase, codec: BodyCodec): OverlayTable {
  const byKey = 'resource = ? AND namespace = ? AND name = ?';
  const get = database.prepare(`SELECT form, body FROM replica_overlays WHERE ${byKey}`);
  const all = database.prepare('SELECT * FROM replica_overlays ORDER BY resource, namespace, name');
  const put = database.prepare(
    `INSERT INTO replica_overlays (resource, namespace, name, form, body) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT (resource, namespace, name) DO UPDATE SET form = excluded.form, body = excluded.body`,
  );
  const remove = database.prepare(`DELETE FROM replica_overlays WHERE ${byKey}`);
  const open = (key: RowKey, row: SqlRow): string =>
    codec.decode(overlayName(key), { form: row['form'], bytes: row['body'] });
  return {
    get: (key) => {
      const row = get.get(key.resource, key.namespace, key.name);
      return row === undefined ? undefined : open(key, row);
    },
    all: () =>
      all.all().map((row) => {
        const [resource, namespace] = [String(row['resource']), String(row['namespace'])];
        const key = { resource, namespace, name: String(row['name']) };
        return { ...key, json: open(key, row) };
      }),
    put: (overlay) => {
      const { form, bytes } = codec.encode(overlayName(overlay), overlay.json, isSecret(overlay.resource));
      put.run(overlay.resource, overlay.namespace, overlay.name, form, bytes);
    },
    remove: (key) => void remove.run(key.resource, key.namespace, key.name),
  };
}

import type { BodyCodec } from './body.ts';
import type { SqlDatabase } from './driver.ts';
import type { WriteOptions, Writer } from './writer.ts';

/** One kind of runtime document, with the type of its documents. Declared by the module that writes them. */
export interface RuntimeKind<T> {
  /** Unique, never reused for another shape. */
  readonly name: string;
  /** The documents hold secrets: sealed on disk. Default false. */
  readonly sealed?: boolean;
  /** Never there: it carries the type. */
  readonly document?: T;
}

export interface RuntimeEntry<T> {
  readonly key: string;
  /** Anything that JSON keeps as it is. */
  readonly document: T;
}

/**
 * What the pod runtime must remember across restarts, as one small JSON document per kind and key. The meaning of a
 * document belongs to whoever declares its kind.
 */
export interface RuntimeRepository {
  get<T>(kind: RuntimeKind<T>, key: string): T | undefined;
  /** Leaves a row that already says so alone. */
  put<T>(kind: RuntimeKind<T>, entry: RuntimeEntry<T>, options: WriteOptions): void;
  /** All documents of `kind`, ordered by key. */
  list<T>(kind: RuntimeKind<T>): readonly RuntimeEntry<T>[];
  /** False if there was none. Not durable: what is deleted may be there again after a power cut. */
  delete(kind: RuntimeKind<unknown>, key: string): boolean;
}

export interface RuntimeDeps {
  readonly database: SqlDatabase;
  readonly write: Writer;
  readonly codec: BodyCodec;
}

/** What a sealed document is tied to. */
export const runtimeName = (kind: string, key: string): string => `runtime/${kind}/${key}`;

const rowOf = ({ name }: RuntimeKind<unknown>, key: string): string => runtimeName(name, key);

export function createRuntimeRepository({ database, write, codec }: RuntimeDeps): RuntimeRepository {
  const get = database.prepare('SELECT sealed, body FROM runtime WHERE kind = ? AND key = ?');
  const list = database.prepare('SELECT key, sealed, body FROM runtime WHERE kind = ? ORDER BY key');
  const put = database.prepare(
    'INSERT OR REPLACE INTO runtime (kind, key, sealed, body) VALUES (?, ?, ?, ?)',
  );
  const remove = database.prepare('DELETE FROM runtime WHERE kind = ? AND key = ?');
  const decode = (row: string, columns: Readonly<Record<string, unknown>>): string =>
    codec.decode(row, { form: columns['sealed'], bytes: columns['body'] });
  const read = (kind: RuntimeKind<unknown>, key: string): string | undefined => {
    const row = get.get(kind.name, key);
    return row === undefined ? undefined : decode(rowOf(kind, key), row);
  };
  return {
    get<T>(kind: RuntimeKind<T>, key: string) {
      const json = read(kind, key);
      return json === undefined ? undefined : (JSON.parse(json) as T);
    },
    put(kind, { key, document }, durability) {
      const json = JSON.stringify(document);
      write({ ...durability, bytes: json.length }, () => {
        if (read(kind, key) === json) return;
        const { form, bytes } = codec.encode(rowOf(kind, key), json, kind.sealed ?? false);
        put.run(kind.name, key, form, bytes);
      });
    },
    list<T>(kind: RuntimeKind<T>) {
      return list.all(kind.name).map((row) => {
        const key = String(row['key']);
        return { key, document: JSON.parse(decode(rowOf(kind, key), row)) as T };
      });
    },
    delete: (kind, key) => write({ durable: false }, () => remove.run(kind.name, key)) > 0,
  };
}

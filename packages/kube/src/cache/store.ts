import { SelvedgeError } from '@selvedge/kit';
import { keyOf, type KubeObject } from '../object.ts';
import type { ObjectEvent } from '../watch/event.ts';
import { gatherReplacement, type Replacement } from './replacement.ts';

/** What happened to one object of a store. */
export type StoreChange<T> =
  | { readonly kind: 'added'; readonly object: T }
  | { readonly kind: 'updated'; readonly object: T; readonly previous: T }
  | { readonly kind: 'deleted'; readonly object: T };

/** The read side. Objects are shared: never change them. */
export interface ObjectReader<T> {
  readonly size: number;
  /** The version that the content is current with; empty before the first list. */
  readonly resourceVersion: string;
  /** By `keyOf`. */
  get(key: string): T | undefined;
  values(): IterableIterator<T>;
  /** Keys of all objects. */
  keys(): IterableIterator<string>;
  /** The objects for which the indexer gave `value`. */
  byIndex(indexer: string, value: string): readonly T[];
  /** Told of each change after the whole batch is in the store. Must not throw. Returns the way to unsubscribe. */
  subscribe(listener: (change: StoreChange<T>) => void): () => void;
}

/** Where a reflector puts what it sees. A store on disk writes `resourceVersion` in the same transaction. */
export interface ReflectorStore<T> {
  /** A new list is about to come. One at a time, with no `apply` before its end. */
  beginReplace(): Replacement<T>;
  /** Changes in their order, and the version after them. `events` may be empty (a bookmark). */
  apply(events: readonly ObjectEvent<T>[], resourceVersion: string): void | Promise<void>;
}

/** From an object to the values that it is found by. */
export type Indexer<T> = (object: T) => readonly string[];

export interface StoreOptions<T> {
  readonly indexers?: Readonly<Record<string, Indexer<T>>>;
  /** What is kept of an object: name, namespace, uid and resourceVersion at least. Default: all. */
  readonly keep?: (object: T) => T;
  /** One more is refused with `ResourceExhausted`. Default 100,000. */
  readonly maxObjects?: number;
}

export interface IndexedStore<T> extends ObjectReader<T>, ReflectorStore<T> {
  /** The whole truth at once: what is not in `items` is gone. */
  replace(items: readonly T[], resourceVersion: string): void;
  apply(events: readonly ObjectEvent<T>[], resourceVersion: string): void;
}

/** `namespace → objects` and the like: for each value, the keys. */
class Index<T> {
  readonly #indexer: Indexer<T>;
  readonly #keys = new Map<string, Set<string>>();

  constructor(indexer: Indexer<T>) {
    this.#indexer = indexer;
  }

  keys(value: string): Iterable<string> {
    return this.#keys.get(value) ?? [];
  }

  add(key: string, object: T): void {
    for (const value of this.#indexer(object)) {
      const keys = this.#keys.get(value) ?? new Set();
      this.#keys.set(value, keys.add(key));
    }
  }

  remove(key: string, object: T): void {
    for (const value of this.#indexer(object)) {
      const keys = this.#keys.get(value);
      keys?.delete(key);
      if (keys?.size === 0) this.#keys.delete(value);
    }
  }
}

const sameVersion = (a: KubeObject, b: KubeObject): boolean =>
  a.metadata.uid === b.metadata.uid && a.metadata.resourceVersion === b.metadata.resourceVersion;

class MemoryStore<T extends KubeObject> implements IndexedStore<T> {
  readonly #objects = new Map<string, T>();
  readonly #indexes: ReadonlyMap<string, Index<T>>;
  readonly #listeners = new Set<(change: StoreChange<T>) => void>();
  readonly #keep: (object: T) => T;
  readonly #maxObjects: number;
  #resourceVersion = '';

  constructor(options: StoreOptions<T>) {
    const indexers = Object.entries(options.indexers ?? {});
    this.#indexes = new Map(indexers.map(([name, indexer]) => [name, new Index(indexer)]));
    this.#keep = options.keep ?? ((object) => object);
    this.#maxObjects = options.maxObjects ?? 100_000;
  }

  get size(): number {
    return this.#objects.size;
  }

  get resourceVersion(): string {
    return this.#resourceVersion;
  }

  get(key: string): T | undefined {
    return this.#objects.get(key);
  }

  values(): IterableIterator<T> {
    return this.#objects.values();
  }

  keys(): IterableIterator<string> {
    return this.#objects.keys();
  }

  byIndex(indexer: string, value: string): readonly T[] {
    const index = this.#indexes.get(indexer);
    if (index === undefined)
      throw new SelvedgeError(`the store has no indexer ${indexer}`, { code: 'Internal' });
    return Array.from(index.keys(value), (key) => this.#objects.get(key)).filter(
      (object) => object !== undefined,
    );
  }

  subscribe(listener: (change: StoreChange<T>) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  /** Nothing is seen of it before its commit. */
  beginReplace(): Replacement<T> {
    return gatherReplacement((items, resourceVersion) => this.replace(items, resourceVersion));
  }

  replace(items: readonly T[], resourceVersion: string): void {
    const present = new Set(items.map(keyOf));
    const gone = [...this.#objects].filter(([key]) => !present.has(key));
    const removed = gone.map(([key]) => this.#remove(key));
    const put = items.map((item) => this.#put(item));
    this.#resourceVersion = resourceVersion;
    this.#tell([...removed, ...put]);
  }

  apply(events: readonly ObjectEvent<T>[], resourceVersion: string): void {
    const changes = events.map(({ type, object }) =>
      type === 'DELETED' ? this.#remove(keyOf(object), object) : this.#put(object),
    );
    this.#resourceVersion = resourceVersion;
    this.#tell(changes);
  }

  #put(sent: T): StoreChange<T> | undefined {
    const key = keyOf(sent);
    const previous = this.#objects.get(key);
    if (previous !== undefined && sameVersion(previous, sent)) return undefined;
    if (previous === undefined && this.#objects.size >= this.#maxObjects) {
      const message = `the store holds ${this.#maxObjects} objects already`;
      throw new SelvedgeError(message, { code: 'ResourceExhausted' });
    }
    const object = this.#keep(sent);
    for (const index of this.#indexes.values()) {
      if (previous !== undefined) index.remove(key, previous);
      index.add(key, object);
    }
    this.#objects.set(key, object);
    return previous === undefined ? { kind: 'added', object } : { kind: 'updated', object, previous };
  }

  #remove(key: string, last?: T): StoreChange<T> | undefined {
    const previous = this.#objects.get(key);
    if (previous === undefined) return undefined;
    for (const index of this.#indexes.values()) index.remove(key, previous);
    this.#objects.delete(key);
    return { kind: 'deleted', object: last === undefined ? previous : this.#keep(last) };
  }

  #tell(changes: readonly (StoreChange<T> | undefined)[]): void {
    for (const change of changes) {
      if (change === undefined) continue;
      for (const listener of this.#listeners) listener(change);
    }
  }
}

/**
 * Objects in memory, by key and by index. A replacement is applied as a difference: objects whose uid and version did
 * not change are left alone and nobody is told of them.
 */
export function createIndexedStore<T extends KubeObject>(options: StoreOptions<T> = {}): IndexedStore<T> {
  return new MemoryStore(options);
}

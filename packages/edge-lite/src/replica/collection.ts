import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '@selvedge/kit';
import { type KubeObject, type ObjectEvent, type ReflectorStore, gatherReplacement } from '@selvedge/kube';
import type { ObjectKey, ObjectRepository } from '../store/index.ts';

/** Which rows one list-watch fills. */
export interface CollectionOptions {
  /** Names its progress in the store. */
  readonly name: string;
  /** The plural with its group, as in `ObjectKey`. */
  readonly resource: string;
  /** Given when it holds one object only. */
  readonly only?: ObjectKey;
}

export interface CollectionDeps {
  readonly objects: ObjectRepository;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  /** Told after the change is on disk; also of the only object once it is known to be absent. */
  readonly changed: (keys: readonly ObjectKey[]) => void;
}

/** The rows of one list-watch: what a reflector writes into. */
export interface Collection extends ReflectorStore<KubeObject> {
  /** How far it is, from an earlier run at first. */
  readonly resourceVersion: string | undefined;
  /** The whole truth at once. */
  replace(items: readonly KubeObject[], resourceVersion: string): void;
  /** Writes down how far the watch is, if it went on without changes and is of more than one object. */
  flush(): void;
}

/**
 * A bookmark alone is written this often at most: it saves a list after a restart and costs flash. Of a single object it
 * is never written: its list costs as little.
 */
const bookmarkIntervalMs = 300_000;

function keyOfObject(resource: string, { metadata }: KubeObject): ObjectKey {
  return { resource, namespace: metadata.namespace ?? '', name: metadata.name ?? '' };
}

/** Bookkeeping of the API server that nobody here reads, often half of an object's bytes. */
function trimmed<T extends KubeObject>(object: T): T {
  return { ...object, metadata: { ...object.metadata, managedFields: undefined } };
}

/** What a change must not lose in a power cut: everything but status and the version that comes with it. */
function essence(object: unknown): unknown {
  if (typeof object !== 'object' || object === null) return object;
  const { metadata } = object as KubeObject;
  const lasting = { ...metadata, resourceVersion: undefined, managedFields: undefined };
  return { ...object, status: undefined, metadata: lasting };
}

interface Change {
  readonly key: ObjectKey;
  readonly object: KubeObject | undefined;
}

class StoredCollection implements Collection {
  readonly #options: CollectionOptions;
  readonly #deps: CollectionDeps;
  #version: string | undefined;
  #writtenMs = -Infinity;
  #written: string | undefined;

  constructor(options: CollectionOptions, deps: CollectionDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#version = deps.objects.collection(options.name)?.resourceVersion;
    this.#written = this.#version;
  }

  get resourceVersion(): string | undefined {
    return this.#version;
  }

  beginReplace(): ReturnType<Collection['beginReplace']> {
    return gatherReplacement((items, resourceVersion) => this.replace(items, resourceVersion));
  }

  replace(items: readonly KubeObject[], resourceVersion: string): void {
    const { resource } = this.#options;
    const present = new Set(items.map((item) => JSON.stringify(keyOfObject(resource, item))));
    const held = this.#deps.objects.members(this.#options.name);
    const gone = held.filter((key) => !present.has(JSON.stringify(key)));
    this.#write(
      [
        ...items.map((object) => ({ key: keyOfObject(resource, object), object })),
        ...gone.map((key) => ({ key, object: undefined })),
      ],
      resourceVersion,
    );
  }

  apply(events: readonly ObjectEvent<KubeObject>[], resourceVersion: string): void {
    if (events.length === 0 && !this.#isBookmarkDue()) {
      this.#version = resourceVersion;
      return;
    }
    const last = new Map<string, Change>();
    for (const { type, object } of events) {
      const key = keyOfObject(this.#options.resource, object);
      last.set(JSON.stringify(key), { key, object: type === 'DELETED' ? undefined : object });
    }
    this.#write([...last.values()], resourceVersion);
  }

  flush(): void {
    if (this.#options.only !== undefined) return;
    if (this.#version !== undefined && this.#version !== this.#written) this.#write([], this.#version);
  }

  #isBookmarkDue(): boolean {
    if (this.#options.only !== undefined) return false;
    return this.#deps.clock.monotonicMs() - this.#writtenMs >= bookmarkIntervalMs;
  }

  #write(changes: readonly Change[], resourceVersion: string): void {
    const { objects, clock, changed } = this.#deps;
    const puts = changes.flatMap(({ key, object }) => {
      if (object === undefined) return [];
      const { resourceVersion: version = '' } = object.metadata;
      return [{ key, resourceVersion: version, object: trimmed(object) }];
    });
    const deletes = changes.filter(({ object }) => object === undefined).map(({ key }) => key);
    const durable =
      deletes.length > 0 ||
      puts.some(({ key, object }) => !isDeepStrictEqual(essence(objects.get(key)), essence(object)));
    const first = objects.collection(this.#options.name)?.synced !== true;
    const state = { resourceVersion, synced: true };
    const keys = objects.apply({ collection: this.#options.name, state, puts, deletes }, { durable });
    this.#version = resourceVersion;
    this.#written = resourceVersion;
    this.#writtenMs = clock.monotonicMs();
    const { only } = this.#options;
    if (first && only !== undefined && keys.length === 0) changed([only]);
    else if (keys.length > 0) changed(keys);
  }
}

/** Reads how far the collection was; writes only what a reflector gives it. */
export function createCollection(options: CollectionOptions, deps: CollectionDeps): Collection {
  return new StoredCollection(options, deps);
}

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SelvedgeError, createBoundedQueue } from '@selvedge/kit';
import type {
  KubeClient,
  KubeObject,
  ListOptions,
  Resource,
  Selection,
  Watch,
  WatchEvent,
  WatchOptions,
} from '@selvedge/kube';
import { type Store, openStore } from '../store/index.ts';

/** A store in a folder of its own. */
export interface TestStore extends AsyncDisposable {
  readonly store: Store;
  /** The same file after a restart. */
  reopen(): Promise<Store>;
}

export async function openTestStore(): Promise<TestStore> {
  const folder = await mkdtemp(join(tmpdir(), 'replica-'));
  const open = (): Promise<Store> =>
    openStore({ path: join(folder, 'state.db'), sealKeyPath: join(folder, 'seal.key'), driver: 'node' });
  let store = await open();
  return {
    get store() {
      return store;
    },
    async reopen() {
      store.close();
      store = await open();
      return store;
    },
    async [Symbol.asyncDispose]() {
      store.close();
      await rm(folder, { recursive: true });
    },
  };
}

interface Entry {
  readonly plural: string;
  readonly event: WatchEvent<KubeObject>;
}

type Listener = (entry: Entry) => void;

const matches = (object: KubeObject, { namespace, fieldSelector = '' }: Selection): boolean => {
  const [field = '', value] = fieldSelector.split('=');
  const { metadata, spec } = object as KubeObject & { readonly spec?: { readonly nodeName?: string } };
  if (namespace !== undefined && metadata.namespace !== namespace) return false;
  if (field === 'metadata.name') return metadata.name === value;
  return field !== 'spec.nodeName' || spec?.nodeName === value;
};

/** The list and watch verbs of an API server in memory, which can be cut off. */
export class TestApi {
  readonly lists: string[] = [];
  readonly watches: string[] = [];
  /** Lists of one page, by plural. */
  readonly looks: string[] = [];
  readonly #objects = new Map<string, { readonly plural: string; readonly object: KubeObject }>();
  readonly #history: Entry[] = [];
  readonly #listeners = new Set<Listener>();
  readonly #cuts = new Set<() => void>();
  #version = 10;
  #cut = false;

  readonly client: Pick<KubeClient, 'list' | 'watch'> = {
    list: async <T extends KubeObject>(resource: Resource<T>, options: ListOptions) => {
      this.#reach();
      if (options.limit === 1) this.looks.push(resource.plural);
      else this.lists.push(`${resource.plural} ${options.fieldSelector ?? ''}`.trim());
      const items = this.#matching<T>(resource, options).slice(0, options.limit);
      return { items, metadata: { resourceVersion: String(this.#version) } };
    },
    watch: async <T extends KubeObject>(resource: Resource<T>, options: WatchOptions) => {
      this.#reach();
      if (options.sendInitialEvents === true) throw new SelvedgeError('no', { code: 'Invalid' });
      this.watches.push(`${resource.plural} ${options.fieldSelector ?? ''}`.trim());
      return this.#watch(resource.plural, options) as Watch<T>;
    },
  };

  put(plural: string, object: KubeObject): void {
    this.#version += 1;
    const stored = { ...object, metadata: { ...object.metadata, resourceVersion: String(this.#version) } };
    const key = `${plural}/${object.metadata.namespace ?? ''}/${object.metadata.name ?? ''}`;
    const type = this.#objects.has(key) ? 'MODIFIED' : 'ADDED';
    this.#objects.set(key, { plural, object: stored });
    this.#tell({ plural, event: { type, object: stored } });
  }

  remove(plural: string, object: KubeObject): void {
    this.#version += 1;
    this.#objects.delete(`${plural}/${object.metadata.namespace ?? ''}/${object.metadata.name ?? ''}`);
    const gone = { ...object, metadata: { ...object.metadata, resourceVersion: String(this.#version) } };
    this.#tell({ plural, event: { type: 'DELETED', object: gone } });
  }

  /** Breaks all watches and refuses new calls. */
  cut(): void {
    this.#cut = true;
    for (const end of this.#cuts) end();
  }

  heal(): void {
    this.#cut = false;
  }

  /** The cluster as a backup has it: an older version, and nothing is known of later ones. */
  restore(version: number): void {
    for (const end of this.#cuts) end();
    this.#version = version;
    this.#history.length = 0;
  }

  #matching<T extends KubeObject>(resource: Resource<T>, selection: Selection): readonly T[] {
    const held = [...this.#objects.values()].filter(
      ({ plural, object }) => plural === resource.plural && matches(object, selection),
    );
    return held.map(({ object }) => object as T);
  }

  #tell(entry: Entry): void {
    this.#history.push(entry);
    for (const listener of this.#listeners) listener(entry);
  }

  #reach(): void {
    if (this.#cut) throw new SelvedgeError('cut', { code: 'Unavailable' });
  }

  #watch(plural: string, options: WatchOptions): Watch<KubeObject> {
    const queue = createBoundedQueue<WatchEvent<KubeObject>>({ capacity: 1_000 });
    const listener = (entry: Entry): void => {
      const { event } = entry;
      if (entry.plural !== plural || event.type === 'BOOKMARK' || !matches(event.object, options)) return;
      if (Number(event.object.metadata.resourceVersion) > Number(options.resourceVersion)) queue.push(event);
    };
    for (const entry of this.#history) listener(entry);
    this.#listeners.add(listener);
    let broken = false;
    const end = (): void => {
      broken = true;
      queue.close();
    };
    this.#cuts.add(end);
    const close = (): void => {
      this.#listeners.delete(listener);
      this.#cuts.delete(end);
      queue.close();
    };
    async function* events(): AsyncGenerator<readonly WatchEvent<KubeObject>[]> {
      try {
        for (let event = await queue.take(options.signal); event !== undefined; ) {
          yield [event];
          event = await queue.take(options.signal);
        }
        if (broken) throw new SelvedgeError('the watch broke', { code: 'Unavailable' });
      } finally {
        close();
      }
    }
    return { close, [Symbol.asyncIterator]: events };
  }
}

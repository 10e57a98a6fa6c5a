import { SelvedgeError, createBoundedQueue, type BoundedQueue } from '@selvedge/kit';
import {
  keyOf,
  parseFieldSelector,
  type KubeObject,
  type ListOptions,
  type Resource,
  type Selection,
  type Watch,
  type WatchEvent,
  type WatchOptions,
} from '@selvedge/kube';
import type { Connectivity } from '../upstream/types.ts';
import type { ListWatchClient } from './sponsored-client.ts';
import { sponsorKey } from './sponsors.ts';
import type { Sponsor } from './types.ts';

interface Entry {
  readonly version: number;
  readonly plural: string;
  readonly event: WatchEvent<KubeObject>;
}

interface OpenWatch {
  readonly plural: string;
  readonly selection: Selection;
  readonly queue: BoundedQueue<WatchEvent<KubeObject>>;
  end(error: SelvedgeError | undefined): void;
}

const matches = (object: KubeObject, { namespace, fieldSelector = '' }: Selection): boolean => {
  const { metadata, spec } = object as KubeObject & { readonly spec?: { readonly nodeName?: string } };
  if (namespace !== undefined && metadata.namespace !== namespace) return false;
  const fields: Readonly<Record<string, string | undefined>> = {
    'metadata.name': metadata.name,
    'spec.nodeName': spec?.nodeName,
  };
  return parseFieldSelector(fieldSelector).every(({ field, value }) => fields[field] === value);
};

const versionOf = (object: KubeObject): number => Number(object.metadata.resourceVersion);

/** The list and watch verbs of an API server in memory, with rights, a history and a link that can be cut. */
export class FakeApi {
  /** `list pods spec.nodeName=a as node`, in their order. */
  readonly requests: string[] = [];
  /** Answers with an error, if it has one for the request. */
  refuse: (sponsor: Sponsor, request: string) => SelvedgeError | undefined = () => undefined;
  readonly #objects = new Map<string, { readonly plural: string; readonly object: KubeObject }>();
  readonly #watches = new Set<OpenWatch>();
  readonly #listeners = new Set<(now: Connectivity) => void>();
  #history: Entry[] = [];
  #floor = 0;
  #version = 10;
  #connectivity: Connectivity = { kind: 'online', sinceMs: 0, server: 'fake' };

  get connectivity(): Connectivity {
    return this.#connectivity;
  }

  get open(): number {
    return this.#watches.size;
  }

  onConnectivity(changed: (now: Connectivity) => void): Disposable {
    this.#listeners.add(changed);
    return { [Symbol.dispose]: () => void this.#listeners.delete(changed) };
  }

  /** Breaks all watches and refuses new calls. */
  cut(): void {
    this.#move({ kind: 'offline', sinceMs: 0, reason: 'cut' });
    this.breakWatches();
  }

  heal(): void {
    this.#move({ kind: 'online', sinceMs: 0, server: 'fake' });
  }

  /** As the end of a process of an API server does. */
  breakWatches(): void {
    for (const watch of this.#watches) watch.end(new SelvedgeError('broken', { code: 'Unavailable' }));
  }

  /** Forgets what was before now. */
  compact(): void {
    this.#floor = this.#version;
    this.#history = [];
  }

  /** The cluster as a backup has it. */
  restore(version: number): void {
    this.breakWatches();
    this.#version = version;
    this.#history = [];
  }

  put(plural: string, object: KubeObject): void {
    this.#version += 1;
    const metadata = { ...object.metadata, resourceVersion: String(this.#version) };
    const stored = { ...object, metadata };
    const key = `${plural} ${keyOf(object)}`;
    const type = this.#objects.has(key) ? 'MODIFIED' : 'ADDED';
    this.#objects.set(key, { plural, object: stored });
    this.#tell({ version: this.#version, plural, event: { type, object: stored } });
  }

  remove(plural: string, object: KubeObject): void {
    this.#version += 1;
    this.#objects.delete(`${plural} ${keyOf(object)}`);
    const metadata = { ...object.metadata, resourceVersion: String(this.#version) };
    const event = { type: 'DELETED', object: { ...object, metadata } } as const;
    this.#tell({ version: this.#version, plural, event });
  }

  /** Tells every watch how far the cluster is. */
  bookmark(): void {
    const resourceVersion = String(this.#version);
    for (const { queue } of this.#watches) {
      queue.push({ type: 'BOOKMARK', resourceVersion, endOfInitialEvents: false });
    }
  }

  clientOf(sponsor: Sponsor): ListWatchClient {
    return {
      list: async <T extends KubeObject>(resource: Resource<T>, options: ListOptions) => {
        this.#admit(sponsor, options.limit === 1 ? 'look' : 'list', { resource, selection: options });
        const items = this.#matching(resource, options) as readonly T[];
        return { items, metadata: { resourceVersion: String(this.#version) } };
      },
      watch: async <T extends KubeObject>(resource: Resource<T>, options: WatchOptions) => {
        const verb = options.sendInitialEvents === true ? 'stream' : `watch from ${options.resourceVersion}`;
        this.#admit(sponsor, verb, { resource, selection: options });
        return this.#watch(resource, options) as Watch<T>;
      },
    };
  }

  #move(now: Connectivity): void {
    this.#connectivity = now;
    for (const listener of this.#listeners) listener(now);
  }

  #admit(
    sponsor: Sponsor,
    verb: string,
    { resource, selection }: { readonly resource: Resource<KubeObject>; readonly selection: Selection },
  ): void {
    if (this.#connectivity.kind === 'offline') throw new SelvedgeError('cut', { code: 'Unavailable' });
    const where = [resource.plural, selection.namespace, selection.fieldSelector].filter(Boolean).join(' ');
    const request = `${verb} ${where}`;
    this.requests.push(`${request} as ${sponsorKey(sponsor)}`);
    const error = this.refuse(sponsor, request);
    if (error !== undefined) throw error;
  }

  #matching({ plural }: Resource<KubeObject>, selection: Selection): readonly KubeObject[] {
    return [...this.#objects.values()]
      .filter((held) => held.plural === plural && matches(held.object, selection))
      .map(({ object }) => object);
  }

  #tell(entry: Entry): void {
    this.#history.push(entry);
    for (const watch of this.#watches) this.#pass(entry, watch);
  }

  #pass({ plural, event }: Entry, watch: OpenWatch): void {
    if (plural !== watch.plural || event.type === 'BOOKMARK') return;
    if (matches(event.object, watch.selection)) watch.queue.push(event);
  }

  #watch(resource: Resource<KubeObject>, options: WatchOptions): Watch<KubeObject> {
    const queue = createBoundedQueue<WatchEvent<KubeObject>>({ capacity: 1_000 });
    let failure: SelvedgeError | undefined;
    const watches = this.#watches;
    const watch: OpenWatch = {
      plural: resource.plural,
      selection: options,
      queue,
      end(error) {
        failure = error;
        watches.delete(watch);
        queue.close();
      },
    };
    this.#begin(resource, options, watch);
    async function* events(): AsyncGenerator<readonly WatchEvent<KubeObject>[]> {
      try {
        for (let event = await queue.take(options.signal); event !== undefined; ) {
          yield [event];
          event = await queue.take(options.signal);
        }
        if (failure !== undefined) throw failure;
      } finally {
        watches.delete(watch);
      }
    }
    return { close: () => watch.end(undefined), [Symbol.asyncIterator]: events };
  }

  #begin(resource: Resource<KubeObject>, options: WatchOptions, watch: OpenWatch): void {
    if (options.sendInitialEvents === true) {
      for (const object of this.#matching(resource, options)) watch.queue.push({ type: 'ADDED', object });
      const resourceVersion = String(this.#version);
      watch.queue.push({ type: 'BOOKMARK', resourceVersion, endOfInitialEvents: true });
    } else if (Number(options.resourceVersion) < this.#floor) {
      watch.end(new SelvedgeError('too old', { code: 'Gone' }));
      return;
    } else {
      const from = Number(options.resourceVersion);
      for (const entry of this.#history) {
        if (entry.event.type !== 'BOOKMARK' && versionOf(entry.event.object) > from) this.#pass(entry, watch);
      }
    }
    this.#watches.add(watch);
  }
}

import { type Clock, type Logger, createTaskGroup } from '@selvedge/kit';
import type { Reflector } from '@selvedge/kube';
import type { ObjectKey, ObjectRepository } from '../store/index.ts';
import type { Collection } from './collection.ts';

export interface FollowedOptions {
  /** Objects followed at a time; a further one stays unknown. */
  readonly maxFollowed: number;
  /** How long the last state of an object that nobody follows is kept, in milliseconds. */
  readonly keepMs: number;
}

export interface FollowedDeps {
  readonly objects: ObjectRepository;
  readonly clock: Clock;
  readonly log: Logger;
  /** Makes the list-watch of one object. */
  readonly watch: (
    key: ObjectKey,
    collection: string,
  ) => { readonly reflector: Reflector; readonly collection: Collection };
}

interface Follow {
  followers: number;
  readonly collection: Collection;
  readonly reflector: Reflector;
}

/** `configmaps/default/web`: the collection of one object. */
export const collectionOf = ({ resource, namespace, name }: ObjectKey): string =>
  `${resource}/${namespace}/${name}`;

/**
 * List-watches of single config maps and secrets, as many as are in use: a node may read only those that its pods
 * name, one by one. Source: kubernetes.io "Using Node Authorization".
 */
export class Followed {
  readonly #options: FollowedOptions;
  readonly #deps: FollowedDeps;
  readonly #follows = new Map<string, Follow>();
  readonly #tasks;

  constructor(options: FollowedOptions, deps: FollowedDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#tasks = createTaskGroup(
      { name: 'followed objects' },
      { onFailure: (error, task) => deps.log.error('object not followed', { object: task, error }) },
    );
  }

  get size(): number {
    return this.#follows.size;
  }

  follow(key: ObjectKey): Disposable {
    const name = collectionOf(key);
    const follow = this.#follows.get(name) ?? this.#open(key, name);
    if (follow !== undefined) follow.followers += 1;
    let open = follow !== undefined;
    return {
      [Symbol.dispose]: () => {
        if (open && follow !== undefined) this.#leave(name, follow);
        open = false;
      },
    };
  }

  /** Drops what nobody has followed for a while from the disk. Runs until the signal aborts. */
  async collectGarbage(resources: readonly string[], signal: AbortSignal): Promise<void> {
    const { clock } = this.#deps;
    let idle = new Set<string>();
    while (!signal.aborted) {
      await clock.sleep(this.#options.keepMs, signal);
      const unfollowed = resources.flatMap((resource) => this.#unfollowed(resource));
      for (const key of unfollowed) if (idle.has(collectionOf(key))) this.#forget(key);
      idle = new Set(unfollowed.map(collectionOf));
    }
  }

  async stop(): Promise<void> {
    const open = [...this.#follows.values()];
    this.#follows.clear();
    await Promise.all(open.map(({ reflector }) => reflector.stop()));
    await this.#tasks.stop();
    for (const { collection } of open) collection.flush();
  }

  #open(key: ObjectKey, name: string): Follow | undefined {
    if (this.#tasks.signal.aborted) return undefined;
    if (this.#follows.size >= this.#options.maxFollowed) {
      this.#deps.log.error('too many objects are followed', { object: name, max: this.#options.maxFollowed });
      return undefined;
    }
    const follow = { followers: 0, ...this.#deps.watch(key, name) };
    this.#follows.set(name, follow);
    this.#tasks.run(name, (signal) => follow.reflector.start(signal));
    return follow;
  }

  #leave(name: string, follow: Follow): void {
    follow.followers -= 1;
    if (follow.followers > 0 || this.#follows.get(name) !== follow) return;
    this.#follows.delete(name);
    this.#tasks.run(name, async () => {
      await follow.reflector.stop();
      follow.collection.flush();
    });
  }

  #unfollowed(resource: string): readonly ObjectKey[] {
    return this.#deps.objects.keys(resource).filter((key) => !this.#follows.has(collectionOf(key)));
  }

  #forget(key: ObjectKey): void {
    const { objects, log } = this.#deps;
    const collection = collectionOf(key);
    const state = objects.collection(collection) ?? { resourceVersion: '', synced: false };
    objects.apply({ collection, state, puts: [], deletes: [key] }, { durable: false });
    objects.dropCollection(collection);
    log.debug('object forgotten', { object: collection });
  }
}

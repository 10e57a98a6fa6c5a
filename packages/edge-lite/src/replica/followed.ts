import { type Clock, type Logger, createTaskGroup, hasCode, withDeadline } from '@selvedge/kit';
import type { Reflector } from '@selvedge/kube';
import type { ObjectKey, ObjectRepository } from '../store/index.ts';
import type { Collection } from './collection.ts';

export interface FollowedOptions {
  /** Objects followed at a time; a further one stays unknown. */
  readonly maxFollowed: number;
  /** How long the last state of an object that nobody follows is kept, in milliseconds. */
  readonly keepMs: number;
  /** How long what is on disk is held back while the API server is asked, in milliseconds. */
  readonly settleMs: number;
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
  /** Told when an object may be read that was held back until then. */
  readonly settled: (key: ObjectKey) => void;
}

interface Follow {
  followers: number;
  /** Nothing was heard in this run yet, and it is too early to say that nothing will be. */
  settling: boolean;
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

  /**
   * True from the first follow until the API server has said what the object is now, or has not in time: a new pod must
   * not start with what an earlier one left on disk, and must start with it while the cloud is away.
   */
  settling(key: ObjectKey): boolean {
    return this.#follows.get(collectionOf(key))?.settling === true;
  }

  /** Drops what nobody has followed for a while from the disk, known absences too. Runs until the signal aborts. */
  async collectGarbage(resources: readonly string[], signal: AbortSignal): Promise<void> {
    const { clock } = this.#deps;
    let idle = new Set<string>();
    while (!signal.aborted) {
      await clock.sleep(this.#options.keepMs, signal);
      const all = resources.flatMap((resource) => this.#deps.objects.collections(`${resource}/`));
      const unfollowed = all.filter((name) => !this.#follows.has(name));
      for (const name of unfollowed) if (idle.has(name)) this.#forget(name);
      idle = new Set(unfollowed);
    }
  }

  async stop(): Promise<void> {
    const open = [...this.#follows.values()];
    this.#follows.clear();
    await Promise.all(open.map(({ reflector }) => reflector.stop()));
    await this.#tasks.stop();
  }

  #open(key: ObjectKey, name: string): Follow | undefined {
    if (this.#tasks.signal.aborted) return undefined;
    if (this.#follows.size >= this.#options.maxFollowed) {
      this.#deps.log.error('too many objects are followed', { object: name, max: this.#options.maxFollowed });
      return undefined;
    }
    const follow = { followers: 0, settling: true, ...this.#deps.watch(key, name) };
    this.#follows.set(name, follow);
    this.#tasks.run(name, (signal) => follow.reflector.start(signal));
    this.#tasks.run(`first answer about ${name}`, (signal) => this.#settle(key, follow, signal));
    return follow;
  }

  async #settle(key: ObjectKey, follow: Follow, signal: AbortSignal): Promise<void> {
    const { clock, settled } = this.#deps;
    const wait = { what: 'the first answer', timeoutMs: this.#options.settleMs, signal };
    try {
      await withDeadline(wait, clock, (inner) => follow.reflector.whenSynced(inner));
    } catch (error) {
      if (!hasCode(error, 'DeadlineExceeded')) throw error;
    }
    follow.settling = false;
    if (this.#follows.get(collectionOf(key)) === follow) settled(key);
  }

  #leave(name: string, follow: Follow): void {
    follow.followers -= 1;
    if (follow.followers > 0 || this.#follows.get(name) !== follow) return;
    this.#follows.delete(name);
    this.#tasks.run(name, () => follow.reflector.stop());
  }

  #forget(name: string): void {
    this.#deps.objects.dropCollection(name);
    this.#deps.log.debug('object forgotten', { object: name });
  }
}

import { type Clock, type TaskGroup, createTaskGroup, hasCode, systemClock } from '@selvedge/kit';
import type { KubeClient, KubeObject, Resource, Selection, WatchEvent } from '@selvedge/kube';

const retryMs = 200;

/** Every version of some objects since a moment, as one unbroken watch shows them. */
export class History<T extends KubeObject> {
  readonly #versions = new Map<string, T[]>();
  readonly #deleted = new Set<string>();
  readonly #clock: Clock = systemClock;
  readonly #tasks: TaskGroup;
  #resourceVersion: string;
  #failure: unknown;

  private constructor(items: readonly T[], resourceVersion: string) {
    for (const item of items) this.#add(item);
    this.#resourceVersion = resourceVersion;
    this.#tasks = createTaskGroup(
      { name: 'history' },
      {
        onFailure: (error) => {
          this.#failure = error;
        },
      },
    );
  }

  /** From the objects that there are now. */
  static async follow<T extends KubeObject>(
    { client, signal }: { readonly client: KubeClient; readonly signal: AbortSignal },
    resource: Resource<T>,
    selection: Selection = {},
  ): Promise<History<T>> {
    const { items, resourceVersion } = await client.listAll(resource, { ...selection, signal });
    const history = new History<T>(items, resourceVersion);
    history.#tasks.run('watch', (inner) => history.#run({ client, resource, selection }, inner));
    return history;
  }

  /** The versions of an object, the oldest first. Throws if any may be missing. */
  of(name: string): readonly T[] {
    if (this.#failure !== undefined) throw new Error('the watch has ended', { cause: this.#failure });
    return this.#versions.get(name) ?? [];
  }

  /** What an object was, one after the other. */
  changes<V>(name: string, read: (object: T) => V): readonly V[] {
    return this.of(name)
      .map(read)
      .filter((value, index, all) => index === 0 || value !== all[index - 1]);
  }

  /** The names of all objects that there were. */
  get names(): readonly string[] {
    return [...this.#versions.keys()];
  }

  wasDeleted(name: string): boolean {
    return this.#deleted.has(name);
  }

  stop(): Promise<void> {
    return this.#tasks.stop();
  }

  async #run(
    what: { readonly client: KubeClient; readonly resource: Resource<T>; readonly selection: Selection },
    signal: AbortSignal,
  ): Promise<void> {
    const { client, resource, selection } = what;
    for (;;) {
      try {
        const resourceVersion = this.#resourceVersion;
        const watch = await client.watch(resource, { ...selection, resourceVersion, signal });
        for await (const batch of watch) batch.forEach((event) => this.#take(event));
      } catch (error) {
        // A connection that broke is followed by another, from the same version on.
        if (!hasCode(error, 'Unavailable')) throw error;
        await this.#clock.sleep(retryMs, signal);
      }
    }
  }

  #take(event: WatchEvent<T>): void {
    if (event.type === 'BOOKMARK') {
      this.#resourceVersion = event.resourceVersion;
      return;
    }
    const { name = '', resourceVersion = '' } = event.object.metadata;
    this.#resourceVersion = resourceVersion;
    this.#add(event.object);
    if (event.type === 'DELETED') this.#deleted.add(name);
  }

  #add(object: T): void {
    const { name = '' } = object.metadata;
    this.#versions.set(name, [...(this.#versions.get(name) ?? []), object]);
  }
}

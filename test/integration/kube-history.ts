import type { Random } from '@selvedge/kit';
import { resources, type KubeClient } from '@selvedge/kube';

/** One change of one object, as a watcher saw it. */
export interface Seen {
  readonly type: 'add' | 'update' | 'delete';
  readonly name: string;
  readonly resourceVersion: string;
}

const { configMaps } = resources;
const { signal } = new AbortController();

/** Ours or that of another client. */
export interface Named {
  readonly metadata?: { readonly name?: string | undefined; readonly resourceVersion?: string | undefined };
}

export function seen(type: Seen['type'], { metadata }: Named): Seen {
  return { type, name: metadata?.name ?? '', resourceVersion: metadata?.resourceVersion ?? '' };
}

/** Creates, changes and deletes config maps at random; never two at a time. */
export class RandomWriter {
  readonly #client: KubeClient;
  readonly #namespace: string;
  readonly #random: Random;
  readonly #present = new Set<string>();
  #count = 0;

  constructor(client: KubeClient, namespace: string, random: Random) {
    this.#client = client;
    this.#namespace = namespace;
    this.#random = random;
  }

  async write(): Promise<void> {
    this.#count += 1;
    const name = `cm-${Math.floor(this.#random() * 12)}`;
    const at = { namespace: this.#namespace, name };
    const data = { count: String(this.#count), pad: 'x'.repeat(Math.floor(this.#random() * 3_000)) };
    const metadata = { ...at };
    if (!this.#present.has(name)) {
      await this.#client.create(configMaps, { metadata, data }, { signal });
      this.#present.add(name);
    } else if (this.#random() < 0.3) {
      await this.#client.delete(configMaps, at, { signal });
      this.#present.delete(name);
    } else {
      await this.#client.replace(configMaps, { metadata, data }, { signal });
    }
  }

  /** The last write, for watchers to wait for. */
  async finish(): Promise<void> {
    const metadata = { namespace: this.#namespace, name: 'last' };
    await this.#client.create(configMaps, { metadata }, { signal });
  }
}

/** What each watcher saw of each object: `name → changes`. */
export function byName(history: readonly Seen[]): ReadonlyMap<string, readonly Seen[]> {
  return Map.groupBy(history, ({ name }) => name);
}

export interface FairMapOptions<K, V> {
  /** Entries of all owners together, those of reserved ones not counted. */
  readonly capacity: number;
  /** Entries of one owner; a reserved one may have `capacity`. */
  readonly capacityPerOwner: number;
  /** Whose entries nobody else's push out. Default: nobody. */
  readonly isReserved?: (owner: string) => boolean;
  readonly onEvict?: (key: K, value: V) => void;
}

interface Owned<V> {
  readonly owner: string;
  readonly value: V;
}

/**
 * A map with a cap that owners share: one that has too many entries loses its own least recently used one, and where all
 * have too many together the one that has most does.
 */
export class FairMap<K, V> {
  readonly #options: FairMapOptions<K, V>;
  readonly #entries = new Map<K, Owned<V>>();
  /** The keys of each owner, the least recently used first. */
  readonly #owners = new Map<string, Set<K>>();

  constructor(options: FairMapOptions<K, V>) {
    this.#options = options;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** The value, which becomes the most recently used of its owner. */
  get(key: K): V | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    const keys = this.#owners.get(entry.owner);
    keys?.delete(key);
    keys?.add(key);
    return entry.value;
  }

  set(owner: string, key: K, value: V): void {
    this.delete(key);
    this.#entries.set(key, { owner, value });
    const keys = this.#owners.get(owner) ?? new Set();
    this.#owners.set(owner, keys.add(key));
    const { capacity, capacityPerOwner } = this.#options;
    const own = this.#isReserved(owner) ? capacity : capacityPerOwner;
    if (keys.size > own) this.#evictFrom(keys);
    else if (this.#shared > capacity) this.#evictFrom(this.#largest(owner));
  }

  delete(key: K): boolean {
    const entry = this.#entries.get(key);
    if (entry === undefined) return false;
    const keys = this.#owners.get(entry.owner);
    keys?.delete(key);
    if (keys?.size === 0) this.#owners.delete(entry.owner);
    return this.#entries.delete(key);
  }

  keys(): IterableIterator<K> {
    return this.#entries.keys();
  }

  /** Entries that are not of a reserved owner. */
  get #shared(): number {
    let reserved = 0;
    for (const [owner, { size }] of this.#owners) if (this.#isReserved(owner)) reserved += size;
    return this.#entries.size - reserved;
  }

  #isReserved(owner: string): boolean {
    return this.#options.isReserved?.(owner) === true;
  }

  /** The keys of the one who has most; of `setter` if it has as many, so that who comes pushes out nobody smaller. */
  #largest(setter: string): Set<K> {
    let largest = this.#owners.get(setter) ?? new Set<K>();
    for (const [owner, keys] of this.#owners) {
      if (keys.size > largest.size && !this.#isReserved(owner)) largest = keys;
    }
    return largest;
  }

  #evictFrom(keys: ReadonlySet<K>): void {
    const [oldest] = keys;
    const entry = oldest === undefined ? undefined : this.#entries.get(oldest);
    if (oldest === undefined || entry === undefined) return;
    this.delete(oldest);
    this.#options.onEvict?.(oldest, entry.value);
  }
}

import { maxPageText } from '../../store/index.ts';
import { keyOf } from './content.ts';
import type { Change, ObjectName } from './types.ts';

/** An object as it was shown at some time. */
export interface Held {
  readonly version: bigint;
  readonly json: string;
}

/** One step of a resource's history, with what is needed to take it back. */
export interface Entry extends ObjectName {
  readonly version: bigint;
  /** The upstream version that made it; 0 for a local change. */
  readonly upstream: bigint;
  readonly before: Held | undefined;
  readonly after: Held | undefined;
}

export interface HistoryOptions {
  /** Bytes of text over all resources. */
  readonly maxBytes: number;
  /** Changes over all resources. */
  readonly maxEntries: number;
  /** Both, while somebody has not read what is oldest yet. */
  readonly maxUnreadBytes: number;
  readonly maxUnreadEntries: number;
}

/** The last changes of one resource. */
export interface History {
  /** Everything after it is here. */
  readonly floor: bigint;
  append(entries: readonly Entry[]): void;
  /** Forgets everything: the history begins at `version`. */
  restart(version: bigint): void;
  /** Somebody reads on from `place`, which only rises: he is waited for, within reason. */
  follow(place: () => bigint): Disposable;
  /** At most `limit` changes after `version`, in their order, fewer where they are large. */
  after(version: bigint, limit: number): readonly Change[];
  /** A version before every change that is newer than `upstream`; undefined: there is none. */
  before(upstream: bigint): bigint | undefined;
  /** What objects were like at `version`, for all that changed since. Undefined: it was not there. */
  undo(version: bigint): ReadonlyMap<string, ObjectName & { readonly held: Held | undefined }>;
}

/**
 * The histories of all resources under one cap: what is oldest goes first, whichever resource it is of. What a follower
 * has not read goes only beyond a second, higher cap: a resource that fills does not throw out the watches of others.
 */
export interface Histories {
  readonly entries: number;
  readonly bytes: number;
  open(floor: bigint): History;
}

interface Numbered extends Entry {
  readonly sequence: number;
}

const bytesOf = ({ before, after }: Entry): number => (before?.json.length ?? 0) + (after?.json.length ?? 0);

const toChange = ({ namespace, name, version, before, after }: Entry): Change => ({
  namespace,
  name,
  version,
  before: before?.json,
  after: after?.json,
});

/** A queue that is read at both ends and searched by version. */
class Steps {
  #items: (Numbered | undefined)[] = [];
  #head = 0;

  get first(): Numbered | undefined {
    return this.#items[this.#head];
  }

  push(item: Numbered): void {
    this.#items.push(item);
  }

  shift(): Numbered | undefined {
    const item = this.first;
    if (item === undefined) return undefined;
    // The place is cleared up later; what was there may be large.
    this.#items[this.#head] = undefined;
    this.#head += 1;
    if (this.#head > 256 && this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return item;
  }

  after(version: bigint, limit = Number.POSITIVE_INFINITY): readonly Numbered[] {
    let [low, high] = [this.#head, this.#items.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#items[middle]?.version ?? 0n) > version) high = middle;
      else low = middle + 1;
    }
    const end = Math.min(this.#items.length, low + limit);
    return this.#items.slice(low, end).filter((item) => item !== undefined);
  }
}

/** One history and its part in the whole. */
class Recent implements History {
  readonly #steps = new Steps();
  readonly #all: All;
  #floor: bigint;
  readonly #followers = new Set<() => bigint>();
  /** All followers are there at least. */
  #read = 0n;
  /** The highest upstream version of what is not here any more. */
  #forgotten = 0n;

  constructor(floor: bigint, all: All) {
    this.#floor = floor;
    this.#all = all;
  }

  get floor(): bigint {
    return this.#floor;
  }

  /** When its oldest change came, in the order of all. */
  get age(): number {
    return this.#steps.first?.sequence ?? Number.POSITIVE_INFINITY;
  }

  /** Whether nobody waits for its oldest change. */
  get isRead(): boolean {
    const first = this.#steps.first;
    if (first === undefined || this.#followers.size === 0 || first.version <= this.#read) return true;
    const places = Array.from(this.#followers, (place) => place());
    this.#read = places.reduce((low, place) => (place < low ? place : low));
    return first.version <= this.#read;
  }

  follow(place: () => bigint): Disposable {
    const follower = (): bigint => place();
    this.#followers.add(follower);
    this.#read = 0n;
    return { [Symbol.dispose]: () => void this.#followers.delete(follower) };
  }

  append(added: readonly Entry[]): void {
    for (const entry of added) this.#steps.push({ ...entry, sequence: this.#all.added(entry) });
    this.#all.trim();
  }

  restart(version: bigint): void {
    while (this.drop());
    this.#floor = version;
  }

  drop(): boolean {
    const gone = this.#steps.shift();
    if (gone === undefined) return false;
    this.#floor = gone.version;
    if (gone.upstream > this.#forgotten) this.#forgotten = gone.upstream;
    this.#all.dropped(gone);
    return true;
  }

  after(version: bigint, limit: number): readonly Change[] {
    const steps = this.#steps.after(version, limit);
    let text = 0;
    const full = steps.findIndex((entry) => (text += bytesOf(entry)) >= maxPageText);
    return (full < 0 ? steps : steps.slice(0, full + 1)).map(toChange);
  }

  before(upstream: bigint): bigint | undefined {
    if (this.#forgotten > upstream) return this.#floor - 1n;
    const newer = this.#steps.after(0n).find((entry) => entry.upstream > upstream);
    return newer === undefined ? undefined : newer.version - 1n;
  }

  undo(version: bigint): ReturnType<History['undo']> {
    const backwards = this.#steps.after(version).toReversed();
    return new Map(
      backwards.map(({ namespace, name, before }) => [
        keyOf({ namespace, name }),
        { namespace, name, held: before },
      ]),
    );
  }
}

class All implements Histories {
  readonly #options: HistoryOptions;
  readonly #histories: Recent[] = [];
  #sequence = 0;
  #entries = 0;
  #bytes = 0;

  constructor(options: HistoryOptions) {
    this.#options = options;
  }

  get entries(): number {
    return this.#entries;
  }

  get bytes(): number {
    return this.#bytes;
  }

  open(floor: bigint): History {
    const history = new Recent(floor, this);
    this.#histories.push(history);
    return history;
  }

  added(entry: Entry): number {
    this.#entries += 1;
    this.#bytes += bytesOf(entry);
    this.#sequence += 1;
    return this.#sequence;
  }

  dropped(entry: Entry): void {
    this.#entries -= 1;
    this.#bytes -= bytesOf(entry);
  }

  trim(): void {
    const { maxEntries, maxBytes, maxUnreadEntries, maxUnreadBytes } = this.#options;
    while (this.#isOver(maxEntries, maxBytes)) {
      const mayGo = this.#isOver(maxUnreadEntries, maxUnreadBytes) ? () => true : (one: Recent) => one.isRead;
      const oldest = this.#histories
        .filter(mayGo)
        .reduce<Recent | undefined>(
          (first, one) => (one.age < (first?.age ?? Infinity) ? one : first),
          undefined,
        );
      if (oldest?.drop() !== true) return;
    }
  }

  #isOver(entries: number, bytes: number): boolean {
    return this.#entries > entries || this.#bytes > bytes;
  }
}

export const createHistories = (options: HistoryOptions): Histories => new All(options);

import { createPoke, isAbort, scoped, type Clock, type Poke } from '@selvedge/kit';
import { expired } from '../answers/index.ts';
import { natural, parseVersion } from '../replica/index.ts';
import type { Change } from '../replica/types.ts';
import { addedFrame, bookmarkFrame, changeFrame, errorFrame } from './frames.ts';
import type { Joined } from './joined.ts';
import { select } from './pages.ts';
import type { Presenter } from './present.ts';

export interface WatchStreamOptions {
  /** What the watch begins with: everything that was there at a version, or the changes after it. */
  readonly from:
    | { readonly kind: 'initial'; readonly version: bigint; readonly endBookmark: boolean }
    | { readonly kind: 'changes'; readonly version: bigint };
  readonly bookmarks: boolean;
  readonly timeoutMs: number;
  /** Of the objects, for bookmarks. */
  readonly objectKind: string | undefined;
}

export interface WatchStreamDeps {
  readonly joined: Joined;
  readonly presenter: Presenter;
  readonly clock: Pick<Clock, 'monotonicMs' | 'sleep'>;
  /** The client went away. */
  readonly signal: AbortSignal;
  /** The hub is about to stop. */
  readonly ending: AbortSignal | undefined;
}

/** Changes that are looked at before others get their turn. */
const batchChanges = 100;
const flushCharacters = 64 * 1024;
/** After changes that the watcher did not see, so that it need not see them again. */
const skippedBookmarkMs = 10_000;

/** Joins texts until they are worth sending. */
function* gathered(frames: Iterable<string>): Generator<Uint8Array, void, void> {
  let parts: string[] = [];
  let size = 0;
  for (const text of frames) {
    parts.push(text);
    size += text.length;
    if (size < flushCharacters) continue;
    yield Buffer.from(parts.join(''));
    parts = [];
    size = 0;
  }
  if (parts.length > 0) yield Buffer.from(parts.join(''));
}

class WatchStream {
  readonly #options: WatchStreamOptions;
  readonly #deps: WatchStreamDeps;
  readonly #endMs: number;
  /** Everything up to here was looked at. */
  #cursor: bigint;
  /** The last change that was: nothing is between it and the cursor, and it outlives a crash, which the cursor may not. */
  #place: bigint;
  /** The version that the watcher knows. */
  #told: bigint;
  #toldMs: number;
  /** The watcher was sent an event. */
  #spoke = false;

  constructor(options: WatchStreamOptions, deps: WatchStreamDeps) {
    this.#options = options;
    this.#deps = deps;
    const now = deps.clock.monotonicMs();
    this.#endMs = now + options.timeoutMs;
    this.#cursor = options.from.version;
    this.#place = this.#cursor;
    this.#told = this.#cursor;
    this.#toldMs = now;
  }

  async *run(): AsyncGenerator<Uint8Array, void, void> {
    const { joined, signal, clock } = this.#deps;
    const poke = createPoke(clock);
    using rises = joined.reader.subscribe(
      () => poke.poke(),
      () => this.#cursor,
    );
    try {
      yield* this.#initial();
      yield* this.#follow(poke);
      if (this.#options.bookmarks) yield this.#bookmark(this.#lastPlace());
    } catch (error) {
      if (!signal.aborted) yield Buffer.from(errorFrame(error));
    }
  }

  /** Until its time is over, the hub stops or nobody keeps up what it follows, and all is told. */
  async *#follow(poke: Poke): AsyncGenerator<Uint8Array, void, void> {
    const { signal, ending, joined } = this.#deps;
    const { revoked } = joined.hold;
    using stop = scoped(ending, revoked);
    stop.signal.addEventListener('abort', () => poke.poke(), { once: true });
    for (;;) {
      signal.throwIfAborted();
      if (!isAbort(revoked.reason)) revoked.throwIfAborted();
      const changes = this.#next();
      if (changes.length > 0) {
        yield* gathered(this.#seen(changes));
        continue;
      }
      if (stop.signal.aborted || this.#deps.clock.monotonicMs() >= this.#endMs) return;
      if (this.#bookmarkIsDue()) yield this.#bookmark(this.#place);
      await poke.wait(this.#restMs(), signal);
    }
  }

  async *#initial(): AsyncGenerator<Uint8Array, void, void> {
    const { from } = this.#options;
    if (from.kind === 'changes') return;
    const { joined, presenter } = this.#deps;
    const { reader, selector } = joined;
    const pages = select({ reader, selector, at: this.#cursor, after: undefined });
    if (pages === 'expired') throw expired(`too old resource version: ${this.#cursor}`);
    for await (const page of pages) yield* gathered(page.map(({ json }) => addedFrame(json, presenter)));
    if (from.endBookmark) yield this.#bookmark(this.#cursor, true);
  }

  /**
   * Where the client goes on. Where nobody keeps up any more what he followed he does so upstream, from as far as that had
   * come: others may have brought the resource further.
   */
  #lastPlace(): bigint {
    const { revoked, coverage } = this.#deps.joined.hold;
    const upstream = parseVersion(coverage.record.upstreamVersion);
    if (!revoked.aborted || upstream === undefined) return this.#place;
    const come = natural(upstream);
    return come < this.#cursor ? come : this.#cursor;
  }

  #next(): readonly Change[] {
    const { reader } = this.#deps.joined;
    const changes = reader.changesAfter(this.#cursor, batchChanges);
    if (changes === 'expired') {
      throw expired(`too old resource version: ${this.#cursor} (${reader.version})`);
    }
    this.#place = changes.at(-1)?.version ?? this.#place;
    // Also over what has no entry: a watch that nothing happens to does not fall behind.
    this.#cursor = changes.length > 0 ? this.#place : reader.version;
    return changes;
  }

  *#seen(changes: readonly Change[]): Generator<string, void, void> {
    const { joined, presenter } = this.#deps;
    for (const change of changes) {
      const text = changeFrame(change, joined.selector, presenter);
      if (text === undefined) continue;
      this.#tell(change.version);
      yield text;
    }
  }

  #bookmarkIsDue(): boolean {
    if (!this.#options.bookmarks) return false;
    if (!this.#spoke) return true;
    const quietMs = this.#deps.clock.monotonicMs() - this.#toldMs;
    return this.#place > this.#told && quietMs >= skippedBookmarkMs;
  }

  #bookmark(version: bigint, initialEventsEnd = false): Uint8Array {
    const { joined, presenter } = this.#deps;
    this.#tell(version);
    const options = {
      resource: joined.reader.resource,
      kind: this.#options.objectKind,
      version,
      initialEventsEnd,
    };
    return Buffer.from(bookmarkFrame(options, presenter));
  }

  #tell(version: bigint): void {
    this.#told = version;
    this.#toldMs = this.#deps.clock.monotonicMs();
    this.#spoke = true;
  }

  /** Until something is due by the clock. */
  #restMs(): number {
    const now = this.#deps.clock.monotonicMs();
    const end = this.#endMs - now;
    if (!this.#options.bookmarks || this.#place <= this.#told) return end;
    return Math.min(end, this.#toldMs + skippedBookmarkMs - now);
  }
}

/**
 * The events of a watch, pulled from the history as fast as the client takes them: nothing is queued per watch. A client
 * that is so slow that the history forgets what it has not seen yet gets a 410 event; one whose right is withdrawn a 403. Where
 * nobody keeps up to date any more what it follows it ends, and the client comes again. Ends after the timeout, when the hub stops,
 * or with the signal.
 *
 * Where the client takes bookmarks one is the first event if nothing else is, and one is the last: client-go lists anew when a watch
 * ends within a second without any. Source: client-go `tools/cache/reflector.go`, `VeryShortWatchError`.
 */
export function watchStream(
  options: WatchStreamOptions,
  deps: WatchStreamDeps,
): AsyncGenerator<Uint8Array, void, void> {
  return new WatchStream(options, deps).run();
}

import { createPoke, hasCode, isAbort, scoped, type Clock } from '@selvedge/kit';
import { expired } from '../answers/index.ts';
import type { Change } from '../replica/types.ts';
import { addedFrame, bookmarkFrame, changeFrame, errorFrame } from './frames.ts';
import type { Joined } from './joined.ts';
import { select } from './pages.ts';
import type { Presenter } from './present.ts';

export interface WatchStreamOptions {
  /** What the watch begins with: everything that is there, or the changes after a version. */
  readonly from:
    | { readonly kind: 'initial'; readonly endBookmark: boolean }
    | { readonly kind: 'version'; readonly version: bigint };
  readonly bookmarks: boolean;
  readonly timeoutMs: number;
  /** Of the objects, for bookmarks. */
  readonly objectKind: string | undefined;
}

export interface WatchStreamDeps {
  readonly joined: Joined;
  readonly presenter: Presenter;
  readonly clock: Pick<Clock, 'monotonicMs' | 'sleep'>;
  /** The client is there. */
  readonly signal: AbortSignal;
}

/** Changes that are looked at before others get their turn. */
const batchChanges = 100;
const flushCharacters = 64 * 1024;
/** After changes that the watcher did not see, so that it need not see them again. */
const skippedBookmarkMs = 10_000;
const idleBookmarkMs = 60_000;

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
  /** The version that the watcher knows. */
  #told: bigint;
  #toldMs: number;
  /** Changes went by that the watcher did not see. */
  #skipped = false;

  constructor(options: WatchStreamOptions, deps: WatchStreamDeps) {
    this.#options = options;
    this.#deps = deps;
    const now = deps.clock.monotonicMs();
    this.#endMs = now + options.timeoutMs;
    this.#cursor = options.from.kind === 'version' ? options.from.version : deps.joined.reader.version;
    this.#told = this.#cursor;
    this.#toldMs = now;
  }

  async *run(): AsyncGenerator<Uint8Array, void, void> {
    const { joined, signal, clock } = this.#deps;
    using scope = scoped(signal, joined.hold.revoked);
    const poke = createPoke(clock);
    using rises = joined.reader.subscribe(
      () => poke.poke(),
      () => this.#cursor,
    );
    try {
      yield* this.#initial();
      while (!scope.signal.aborted) {
        const changes = this.#next();
        if (changes.length > 0) {
          yield* gathered(this.#seen(changes));
          continue;
        }
        if (this.#bookmarkIsDue()) yield this.#bookmark(false);
        if (clock.monotonicMs() >= this.#endMs) return;
        await poke.wait(this.#restMs(), scope.signal);
      }
      throw scope.signal.reason;
    } catch (error) {
      if (isAbort(error, signal) || signal.aborted || hasCode(error, 'Aborted')) return;
      yield Buffer.from(errorFrame(error));
    }
  }

  async *#initial(): AsyncGenerator<Uint8Array, void, void> {
    const { from } = this.#options;
    if (from.kind === 'version') return;
    const { joined, presenter } = this.#deps;
    const { reader, selector } = joined;
    const pages = select({ reader, selector, at: this.#cursor, after: undefined });
    if (pages === 'expired') throw expired(`too old resource version: ${this.#cursor}`);
    for await (const page of pages) yield* gathered(page.map(({ json }) => addedFrame(json, presenter)));
    if (from.endBookmark) yield this.#bookmark(true);
  }

  #next(): readonly Change[] {
    const { reader } = this.#deps.joined;
    const changes = reader.changesAfter(this.#cursor, batchChanges);
    if (changes === 'expired') {
      throw expired(`too old resource version: ${this.#cursor} (${reader.version})`);
    }
    // Also over what has no entry: a watch that nothing happens to does not fall behind.
    this.#cursor = changes.at(-1)?.version ?? reader.version;
    return changes;
  }

  *#seen(changes: readonly Change[]): Generator<string, void, void> {
    const { joined, presenter, clock } = this.#deps;
    for (const change of changes) {
      const text = changeFrame(change, joined.selector, presenter);
      if (text === undefined) {
        this.#skipped = true;
        continue;
      }
      this.#skipped = false;
      this.#told = change.version;
      this.#toldMs = clock.monotonicMs();
      yield text;
    }
  }

  #bookmarkIsDue(): boolean {
    if (!this.#options.bookmarks || this.#cursor <= this.#told) return false;
    const now = this.#deps.clock.monotonicMs();
    return now >= this.#endMs || now - this.#toldMs >= this.#bookmarkAfterMs();
  }

  #bookmarkAfterMs(): number {
    return this.#skipped ? skippedBookmarkMs : idleBookmarkMs;
  }

  #bookmark(initialEventsEnd: boolean): Uint8Array {
    const { joined, presenter, clock } = this.#deps;
    const version = this.#cursor;
    this.#told = version;
    this.#toldMs = clock.monotonicMs();
    this.#skipped = false;
    const options = {
      resource: joined.reader.resource,
      kind: this.#options.objectKind,
      version,
      initialEventsEnd,
    };
    return Buffer.from(bookmarkFrame(options, presenter));
  }

  /** Until something is due by the clock. */
  #restMs(): number {
    const now = this.#deps.clock.monotonicMs();
    const end = this.#endMs - now;
    if (!this.#options.bookmarks) return end;
    const bookmark = this.#toldMs + this.#bookmarkAfterMs() - now;
    return Math.min(end, bookmark > 0 ? bookmark : idleBookmarkMs);
  }
}

/**
 * The events of a watch, pulled from the history as fast as the client takes them: nothing is queued per watch. A client
 * that is so slow that the history forgets what it has not seen yet gets a 410 event; one whose right is withdrawn a 403. Where
 * nobody keeps up to date any more what it follows it ends, and the client comes again.
 * Ends after the timeout, or with the signal.
 */
export function watchStream(
  options: WatchStreamOptions,
  deps: WatchStreamDeps,
): AsyncGenerator<Uint8Array, void, void> {
  return new WatchStream(options, deps).run();
}

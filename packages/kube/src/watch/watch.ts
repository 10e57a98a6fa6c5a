import type { Clock } from '@selvedge/kit';
import { readChunks } from '../http/body.ts';
import type { HttpResponse } from '../http/types.ts';
import type { KubeObject } from '../object.ts';
import { parseWatchEvent, type WatchEvent } from './event.ts';
import { createLineSplitter } from './lines.ts';

export interface WatchOptions {
  /** Absent: all namespaces. */
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  /** Only the metadata of each object. Default false. */
  readonly metadataOnly?: boolean | undefined;
  /** Changes after this version. Absent: the server starts with the objects there are, in an order of its own. */
  readonly resourceVersion?: string | undefined;
  /** A streaming list: the objects there are as `ADDED`, a bookmark with `endOfInitialEvents`, then changes. */
  readonly sendInitialEvents?: boolean | undefined;
  /** Whether the server shall tell now and then how far it is. Streaming lists need it for their end. Default true. */
  readonly bookmarks?: boolean | undefined;
  /** When the server shall end the watch. Default: random between 300 and 600. */
  readonly timeoutSeconds?: number | undefined;
  /**
   * Silence (not even a bookmark) after which the watch is given up, in milliseconds. Default 180,000; without bookmarks
   * so long after the server should have ended it.
   */
  readonly idleTimeoutMs?: number | undefined;
  /** A longer event ends the watch with `ResourceExhausted`. Default 8 MiB. */
  readonly maxEventBytes?: number | undefined;
  readonly signal: AbortSignal;
}

/**
 * The events of one watch request, in the batches in which they came. They are read only as fast as they are taken:
 * a reader that stops costs the stream's window, not memory. Ends when the server ends the watch; throws `Gone` when
 * the version is too old, `Unavailable` when the connection breaks. To be iterated once, or closed.
 */
export interface Watch<T> extends AsyncIterable<readonly WatchEvent<T>[]> {
  close(): void;
}

export interface WatchStream {
  readonly response: HttpResponse;
  /** Names the watch in errors. */
  readonly what: string;
  readonly options: WatchOptions;
}

/** Bookmarks come every minute or so from servers that send them. */
const defaultIdleTimeoutMs = 180_000;
const longestWatchSeconds = 600;
const defaultMaxEventBytes = 8 * 1024 * 1024;

function idleMsOf({ idleTimeoutMs, bookmarks, timeoutSeconds = longestWatchSeconds }: WatchOptions): number {
  return idleTimeoutMs ?? defaultIdleTimeoutMs + (bookmarks === false ? timeoutSeconds * 1_000 : 0);
}

/** The events of `lines` in one batch; those before a faulty line are given out before it throws. */
function* parseBatches<T extends KubeObject>(
  lines: Iterable<string>,
  what: string,
): Generator<readonly WatchEvent<T>[], void, undefined> {
  const events: WatchEvent<T>[] = [];
  try {
    for (const line of lines) events.push(parseWatchEvent<T>(line, what));
  } finally {
    if (events.length > 0) yield events;
  }
}

async function* readEvents<T extends KubeObject>(
  { response, what, options }: WatchStream,
  clock: Clock,
): AsyncGenerator<readonly WatchEvent<T>[], void, undefined> {
  const splitter = createLineSplitter({ maxLineBytes: options.maxEventBytes ?? defaultMaxEventBytes });
  const idleMs = idleMsOf(options);
  try {
    for await (const chunk of readChunks(response, { what, idleMs }, clock)) {
      yield* parseBatches<T>(splitter.push(chunk), what);
    }
  } catch (error) {
    options.signal.throwIfAborted();
    throw error;
  }
}

/** The events of an accepted watch. */
export function createWatch<T extends KubeObject>(stream: WatchStream, clock: Clock): Watch<T> {
  return {
    [Symbol.asyncIterator]: () => readEvents<T>(stream, clock),
    close() {
      stream.response.body.destroy();
    },
  };
}

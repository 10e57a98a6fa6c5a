import { type Clock, type Poke, createPoke } from '@selvedge/kit';
import { type LogEntries, createLogEntries } from './log-entries.ts';
import { type LogFile, openHistory, openNext } from './log-files.ts';
import type { LogOptions } from './log-options.ts';
import { findTail } from './tail.ts';

export interface ReadLogOptions extends LogOptions {
  readonly path: string;
}

/** The container of which the log is. */
export interface Writer {
  /** Whether it writes no more. While the runtime does not answer, what runs is taken to go on. */
  ended(signal: AbortSignal): Promise<boolean>;
  /** Calls back when that may have changed. */
  onChange(changed: () => void): Disposable;
}

export interface ReadLogDeps {
  readonly writer: Writer;
  readonly clock: Pick<Clock, 'sleep'>;
}

/** Followed files are looked at by size: at first so often, at last so rarely. */
const pace = { firstMs: 50, lastMs: 500 };
/** The runtime hands the last lines on while it says already that the container has ended, or writes to the next file. */
const settleMs = 100;

interface Reading {
  readonly options: ReadLogOptions;
  readonly deps: ReadLogDeps;
  readonly entries: LogEntries;
  readonly signal: AbortSignal;
}

/** Shown so far; returns how many bytes the file gave. */
async function* drain(
  file: LogFile,
  upTo: number,
  { entries, signal }: Reading,
): AsyncGenerator<Uint8Array, number> {
  let given = 0;
  while (!entries.full && file.position < upTo) {
    signal.throwIfAborted();
    const bytes = await file.read();
    if (bytes === undefined) break;
    given += bytes.length;
    const shown = entries.push(bytes.subarray(0, upTo - (file.position - bytes.length)));
    if (shown.length > 0) yield shown;
  }
  return given;
}

/** A file of which so much was there when it was opened. */
interface Part {
  readonly file: LogFile;
  readonly sizeBytes: number;
}

/** Sets the files to where the wanted entries begin. */
async function seek(parts: readonly Part[], lines: number, signal: AbortSignal): Promise<void> {
  let missing = lines;
  for (const { file, sizeBytes } of parts.toReversed()) {
    if (file.handle === undefined) continue;
    const tail = await findTail(file.handle, { sizeBytes, lines: missing }, signal);
    file.position = tail.startBytes;
    missing = tail.missing;
  }
}

/** Where the log goes on, once something is there or never will be. */
async function continued(path: string, file: LogFile): Promise<LogFile | undefined> {
  const next = await openNext(path, file);
  if (next === undefined) return undefined;
  if (next.rotatedTo !== undefined || ((await next.handle?.stat())?.size ?? 0) > 0) return next;
  await next[Symbol.asyncDispose]();
  return undefined;
}

type Outlook =
  | { readonly kind: 'open' }
  | { readonly kind: 'ended' }
  | { readonly kind: 'rotated'; readonly next: LogFile };

async function outlook(file: LogFile, { options, deps, signal }: Reading): Promise<Outlook> {
  const next = await continued(options.path, file);
  if (next !== undefined) return { kind: 'rotated', next };
  return (await deps.writer.ended(signal)) ? { kind: 'ended' } : { kind: 'open' };
}

/**
 * The rest of one file, to its end: what is written while it is the log's, and after it was rotated until the runtime has
 * left it. The next file, undefined if there is none to come. What is known of the end is asked for before the last bytes
 * are read, and believed when they were the last twice.
 */
async function* followFile(
  file: LogFile,
  poke: Poke,
  reading: Reading,
): AsyncGenerator<Uint8Array, LogFile | undefined> {
  let pauseMs = pace.firstMs;
  let quiet = 0;
  for (;;) {
    const seen = await outlook(file, reading);
    await using next = held(seen.kind === 'rotated' ? seen.next : undefined);
    const given = yield* drain(file, Number.POSITIVE_INFINITY, reading);
    if (reading.entries.full) return undefined;
    quiet = given > 0 || seen.kind === 'open' ? 0 : quiet + 1;
    if (quiet === 2) return next.take();
    pauseMs = given > 0 ? pace.firstMs : Math.min(pace.lastMs, 2 * pauseMs);
    await poke.wait(seen.kind === 'open' ? pauseMs : settleMs, reading.signal);
  }
}

/** Disposed with the scope unless it was taken. */
function held(file: LogFile | undefined): AsyncDisposable & { take(): LogFile | undefined } {
  let mine = file;
  return {
    take() {
      const taken = mine;
      mine = undefined;
      return taken;
    },
    [Symbol.asyncDispose]: async () => mine?.[Symbol.asyncDispose](),
  };
}

async function* follow(begin: LogFile, reading: Reading): AsyncGenerator<Uint8Array> {
  const poke = createPoke(reading.deps.clock);
  using watch = reading.deps.writer.onChange(() => poke.poke());
  let file: LogFile | undefined = begin;
  while (file !== undefined) {
    await using current: LogFile = file;
    file = yield* followFile(current, poke, reading);
  }
}

/** Whether all of it was written before the wanted time. */
async function isOld({ handle }: LogFile, sinceNs: bigint | undefined): Promise<boolean> {
  if (sinceNs === undefined || handle === undefined) return false;
  return BigInt(Math.ceil((await handle.stat()).mtimeMs)) * 1_000_000n < sinceNs;
}

/** What there is of the log, from the first file on in which something is wanted. */
async function wantedParts(
  files: readonly LogFile[],
  { tailLines, sinceNs }: LogOptions,
  signal: AbortSignal,
): Promise<readonly Part[]> {
  const sizes = files.map(async (file) => ({ file, sizeBytes: (await file.handle?.stat())?.size ?? 0 }));
  const parts = await Promise.all(sizes);
  if (tailLines !== undefined) await seek(parts, tailLines, signal);
  let first = 0;
  for (const { file, sizeBytes } of parts.slice(0, -1)) {
    if (file.position < sizeBytes && !(await isOld(file, sinceNs))) break;
    first += 1;
  }
  return parts.slice(first);
}

/**
 * A log from the file before the last rotation on, each entry once, while it is rotated. The first piece is empty and says
 * that the log is open: what stands against that comes instead. Files are polled: an inotify instance is scarce on small
 * machines, and misses what happens on some file systems.
 */
export async function* readLog(
  options: ReadLogOptions,
  deps: ReadLogDeps,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const reading: Reading = { options, deps, entries: createLogEntries(options), signal };
  await using stack = new AsyncDisposableStack();
  const files = await openHistory(options.path);
  for (const file of files) stack.use(file);
  const parts = await wantedParts(files, options, signal);
  yield new Uint8Array();
  const [begin] = parts;
  if (options.follow && begin !== undefined) yield* follow(begin.file, reading);
  else for (const { file, sizeBytes } of parts) yield* drain(file, sizeBytes, reading);
}

import { createReadStream } from 'node:fs';
import { type FileHandle, open, readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { createGunzip } from 'node:zlib';
import { SelvedgeError, ifPresent } from '@selvedge/kit';
import { rotatedNames } from '../../pods/index.ts';

/** One file of a log, open. */
export interface LogFile extends AsyncDisposable {
  /** Undefined for a compressed one. */
  readonly handle: FileHandle | undefined;
  /** What it was rotated to; undefined for the one that had the log's own name when it was opened. */
  readonly rotatedTo: string | undefined;
  /** The names of older files when it was opened, oldest first. */
  readonly older: readonly string[];
  /** Where `read` goes on. Of uncompressed files only. */
  position: number;
  /** The next bytes; undefined at the end, where more may be written. */
  read(): Promise<Uint8Array | undefined>;
}

const blockBytes = 32 * 1024;
/** Each needs a rotation while a folder is read. */
const maxAttempts = 10;

/** Of a rotated file, compressed or not. */
const stem = (name: string): string => name.replace(/\.gz$/, '');

/** What the log was rotated to, oldest first; each once, though for a moment there are both it and its compressed form. */
async function older(path: string): Promise<readonly string[]> {
  const names = rotatedNames(basename(path), await readdir(dirname(path)));
  const plain = new Set(names);
  return names.filter((name) => !name.endsWith('.tmp') && (name === stem(name) || !plain.has(stem(name))));
}

type Place = Pick<LogFile, 'rotatedTo' | 'older'>;

class PlainFile implements LogFile {
  readonly handle: FileHandle;
  readonly rotatedTo: string | undefined;
  readonly older: readonly string[];
  position = 0;

  constructor(handle: FileHandle, place: Place) {
    this.handle = handle;
    this.rotatedTo = place.rotatedTo;
    this.older = place.older;
  }

  /** The size comes first: those who wait at the end hold no buffer. */
  async read(): Promise<Uint8Array | undefined> {
    const { size } = await this.handle.stat();
    const length = Math.min(blockBytes, size - this.position);
    if (length <= 0) return undefined;
    const { bytesRead, buffer } = await this.handle.read(
      Buffer.allocUnsafe(length),
      0,
      length,
      this.position,
    );
    this.position += bytesRead;
    return bytesRead === 0 ? undefined : buffer.subarray(0, bytesRead);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.handle.close();
  }
}

/** Rotated so long ago that it was compressed: only for readers that are very slow. */
class ZippedFile implements LogFile {
  readonly handle = undefined;
  readonly rotatedTo: string;
  readonly older: readonly string[];
  position = 0;
  readonly #source;
  readonly #unzip = createGunzip();
  readonly #chunks: AsyncIterator<Buffer>;

  constructor(handle: FileHandle, { rotatedTo, ...place }: Place & { readonly rotatedTo: string }) {
    this.rotatedTo = rotatedTo;
    this.older = place.older;
    this.#source = createReadStream('', { fd: handle });
    this.#source.on('error', (error) => this.#unzip.destroy(error));
    this.#source.pipe(this.#unzip);
    this.#chunks = this.#unzip[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  }

  async read(): Promise<Uint8Array | undefined> {
    const next = await this.#chunks.next();
    return next.done === true ? undefined : next.value;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#source.destroy();
    this.#unzip.destroy();
  }
}

/** Whether two open or named files are the same one. */
interface FileIdentity {
  readonly dev: number;
  readonly ino: number;
}
const same = (a: FileIdentity | undefined, b: FileIdentity | undefined): boolean =>
  a !== undefined && a.dev === b?.dev && a.ino === b.ino;

/** Opens `name` as it stood among `names`; undefined if it is not there. */
async function openFile(path: string, name: string, names: readonly string[]): Promise<LogFile | undefined> {
  const handle = await ifPresent(open(join(dirname(path), name), 'r'));
  if (handle === undefined) return undefined;
  const at = names.indexOf(name);
  if (at < 0) return new PlainFile(handle, { rotatedTo: undefined, older: names });
  const place = { rotatedTo: name, older: names.slice(0, at) };
  return name.endsWith('.gz') ? new ZippedFile(handle, place) : new PlainFile(handle, place);
}

/**
 * Opens those that `choose` picks of the log and what it was rotated to. A rotation adds a name: where none came, the files
 * that were opened are those that bore the names.
 */
async function openSteady(
  path: string,
  choose: (names: readonly string[]) => Promise<readonly string[]>,
): Promise<readonly LogFile[]> {
  for (let attempt = 0; attempt < maxAttempts; attempt += 1) {
    const names = await older(path);
    await using opened = new AsyncDisposableStack();
    const files: LogFile[] = [];
    for (const name of await choose(names)) {
      const file = await openFile(path, name, names);
      if (file !== undefined) files.push(opened.use(file));
    }
    if ((await older(path)).join('/') !== names.join('/')) continue;
    opened.move();
    return files;
  }
  throw new SelvedgeError(`log file ${path} is rotated all the time`, { code: 'Unavailable' });
}

/**
 * The log and the file that was rotated last, oldest first; what is older is compressed and not for this API. Not more is
 * opened than is there. The caller disposes them.
 */
export async function openHistory(path: string): Promise<readonly LogFile[]> {
  const files = await ifPresent(
    openSteady(path, async (names) => [
      ...names.filter((name) => !name.endsWith('.gz')).slice(-1),
      basename(path),
    ]),
  );
  if (files !== undefined && files.length > 0) return files;
  throw new SelvedgeError(`failed to open log file "${path}": no such file or directory`, {
    code: 'Invalid',
  });
}

const isCurrent = async (path: string, file: LogFile): Promise<boolean> =>
  same(await file.handle?.stat(), await ifPresent(stat(path)));

/** Of the rotated files the one after `file`, which has its identity or at least came next after all that was older. */
async function nextName(path: string, file: LogFile, names: readonly string[]): Promise<string | undefined> {
  const own = await file.handle?.stat();
  for (const [at, name] of names.entries()) {
    if (same(own, await ifPresent(stat(join(dirname(path), name))))) return names[at + 1];
  }
  const { rotatedTo } = file;
  if (rotatedTo !== undefined) return names.find((name) => stem(name) > stem(rotatedTo));
  const last = stem(file.older.at(-1) ?? '');
  return names.filter((name) => stem(name) > last)[1];
}

/** The file that the log went on in after `file`; undefined while it is the one that is written to. */
export async function openNext(path: string, file: LogFile): Promise<LogFile | undefined> {
  if (await isCurrent(path, file)) return undefined;
  const files = await openSteady(path, async (names) => {
    if (await isCurrent(path, file)) return [];
    return [(await nextName(path, file, names)) ?? basename(path)];
  });
  return files[0];
}

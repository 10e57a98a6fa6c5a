import type { IncomingHttpHeaders } from 'node:http';
import { Readable, pipeline } from 'node:stream';
import { promisify } from 'node:util';
import { createGunzip, gunzip } from 'node:zlib';
import { SelvedgeError, aborted, scoped, systemCode, type Clock } from '@selvedge/kit';
import { transportError } from '../status.ts';
import type { HttpResponse } from './types.ts';

export interface ReadOptions {
  /** What is read, for errors. */
  readonly what: string;
  /** Silence after which the body is given up, in milliseconds. */
  readonly idleMs: number;
}

const unzip = promisify(gunzip);

/** Destroys the body after `idleMs` in which the reader waited and nothing came. */
async function watchSilence(
  { body }: HttpResponse,
  { what, idleMs }: ReadOptions,
  deps: { readonly clock: Clock; readonly signal: AbortSignal; readonly waitingSince: () => number },
): Promise<void> {
  for (let left = idleMs; left > 0; left = deps.waitingSince() + idleMs - deps.clock.monotonicMs()) {
    await deps.clock.sleep(left, deps.signal);
  }
  const message = `${what}: nothing came for ${idleMs} ms`;
  body.destroy(new SelvedgeError(message, { code: 'DeadlineExceeded' }));
}

/**
 * The chunks of an answer, as fast as they are taken: while the reader works, nothing more is read than the stream's
 * window holds. Rejects with `Unavailable` if the answer breaks off, `DeadlineExceeded` on silence. The body is
 * destroyed when the reader stops early.
 */
export async function* readChunks(
  response: HttpResponse,
  options: ReadOptions,
  clock: Clock,
): AsyncGenerator<Uint8Array, void, undefined> {
  using guard = scoped();
  let since = clock.monotonicMs();
  const waitingSince = (): number => (Number.isNaN(since) ? clock.monotonicMs() : since);
  const watching = watchSilence(response, options, { clock, signal: guard.signal, waitingSince });
  watching.catch(() => undefined);
  try {
    for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
      since = Number.NaN;
      yield chunk;
      since = clock.monotonicMs();
    }
    response.checkComplete();
  } catch (cause) {
    throw transportError(`${options.what}: the answer broke off`, cause);
  } finally {
    guard.abort(aborted('reading'));
    response.body.destroy();
  }
}

function notGzip({ what }: ReadOptions, cause: unknown): unknown {
  if (cause instanceof SelvedgeError) return cause;
  return new SelvedgeError(`${what}: the answer is not gzip`, { code: 'Corrupt', cause });
}

/** Like `readChunks`; an answer that is compressed is unzipped as it is taken. Rejects with `Corrupt`, too. */
export async function* readUnzipped(
  response: HttpResponse,
  options: ReadOptions,
  clock: Clock,
): AsyncGenerator<Uint8Array, void, undefined> {
  const chunks = readChunks(response, options, clock);
  if (response.headers['content-encoding'] !== 'gzip') return yield* chunks;
  const source = Readable.from(chunks, { objectMode: false });
  // Whoever reads what is unzipped hears of an error.
  const unzipped = pipeline(source, createGunzip(), () => undefined);
  try {
    for await (const chunk of unzipped) yield chunk as Uint8Array;
  } catch (cause) {
    throw notGzip(options, cause);
  } finally {
    response.body.destroy();
  }
}

export interface CollectOptions extends ReadOptions {
  /** More, compressed or not, is refused with `ResourceExhausted`. */
  readonly maxBytes: number;
}

function tooLarge({ what, maxBytes }: CollectOptions): SelvedgeError {
  return new SelvedgeError(`${what}: the answer is larger than ${maxBytes} bytes`, {
    code: 'ResourceExhausted',
  });
}

async function decoded(raw: Buffer, headers: IncomingHttpHeaders, options: CollectOptions): Promise<Buffer> {
  if (headers['content-encoding'] !== 'gzip') return raw;
  try {
    return await unzip(raw, { maxOutputLength: options.maxBytes });
  } catch (cause) {
    if (systemCode(cause) === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(options);
    throw notGzip(options, cause);
  }
}

/** The whole body, unzipped if it was compressed. */
export async function collect(
  response: HttpResponse,
  options: CollectOptions,
  clock: Clock,
): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of readChunks(response, options, clock)) {
    bytes += chunk.length;
    if (bytes > options.maxBytes) throw tooLarge(options);
    chunks.push(chunk);
  }
  return decoded(Buffer.concat(chunks, bytes), response.headers, options);
}

import { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { constants, createGzip, gzip } from 'node:zlib';
import type { HubResponse } from '../request.ts';

/** Smaller answers are not worth it: the API server's own threshold, in bytes. */
const threshold = 128 * 1024;
const options = { level: constants.Z_BEST_SPEED, memLevel: 6 } as const;
const gzipWhole = promisify<Uint8Array, typeof options, Buffer>(gzip);

export function takesGzip(acceptEncoding: string | undefined): boolean {
  return (acceptEncoding ?? '').split(',').some((word) => word.trim().split(';')[0] === 'gzip');
}

/** The chunks up to the threshold and, if there is more, the rest. */
async function peek(
  chunks: AsyncIterator<Uint8Array>,
): Promise<{ readonly head: readonly Uint8Array[]; readonly more: boolean }> {
  const head: Uint8Array[] = [];
  for (let size = 0; size <= threshold; ) {
    const next = await chunks.next();
    if (next.done === true) return { head, more: false };
    head.push(next.value);
    size += next.value.byteLength;
  }
  return { head, more: true };
}

async function* chain(
  head: readonly Uint8Array[],
  rest: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array, void, void> {
  try {
    yield* head;
    for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value;
  } finally {
    await rest.return?.();
  }
}

/** Compresses while it is read; let go early, it lets go of its source. */
async function* compressed(
  source: AsyncGenerator<Uint8Array, void, void>,
): AsyncGenerator<Uint8Array, void, void> {
  const stream = createGzip(options);
  const input = Readable.from(source, { objectMode: false });
  input.on('error', (error) => stream.destroy(error));
  input.pipe(stream);
  try {
    for await (const chunk of stream) yield chunk as Uint8Array;
  } finally {
    input.destroy();
    stream.destroy();
    await source.return();
  }
}

/** Compresses an answer that is large enough, for a client that takes it. Not for watches: they are never large. */
export async function withGzip(
  response: HubResponse,
  acceptEncoding: string | undefined,
): Promise<HubResponse> {
  if (!takesGzip(acceptEncoding) || response.headers['content-encoding'] !== undefined) return response;
  const { 'content-length': _length, ...known } = response.headers;
  const headers = { ...known, 'content-encoding': 'gzip', vary: 'Accept-Encoding' };
  if (response.body instanceof Uint8Array) {
    if (response.body.byteLength <= threshold) return response;
    return { ...response, headers, body: await gzipWhole(response.body, options) };
  }
  const chunks = response.body[Symbol.asyncIterator]();
  const { head, more } = await peek(chunks);
  if (!more) return { ...response, body: Buffer.concat(head) };
  return { ...response, headers, body: compressed(chain(head, chunks)) };
}

import { type Readable, pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { SelvedgeError } from '@selvedge/kit';
import type { UpstreamResponse } from '../upstream/types.ts';

/** The reader of what is unzipped hears of it; it lets go of the raw body too when it stops early. */
function unzipped(body: Readable): Readable {
  return pipeline(body, createGunzip(), () => undefined);
}

function brokeOff(cause: unknown): unknown {
  if (cause instanceof SelvedgeError) return cause;
  return new SelvedgeError('the answer of the API server broke off', { code: 'Unavailable', cause });
}

/**
 * An answer as it comes and is taken, unzipped if it was zipped and `unzip` says so. Throws `Unavailable` when it breaks
 * off. The body is destroyed when its reader stops early.
 */
export async function* chunksOf(
  response: UpstreamResponse,
  unzip: boolean,
): AsyncGenerator<Uint8Array, void, undefined> {
  const zipped = unzip && response.headers['content-encoding'] === 'gzip';
  const source = zipped ? unzipped(response.body) : response.body;
  try {
    for await (const chunk of source as AsyncIterable<Uint8Array>) yield chunk;
    response.checkComplete();
  } catch (cause) {
    throw brokeOff(cause);
  } finally {
    response.body.destroy();
  }
}

/** The whole of an answer. Throws `ResourceExhausted` beyond `maxBytes`. */
export async function collectChunks(chunks: AsyncIterable<Uint8Array>, maxBytes: number): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of chunks) {
    bytes += part.length;
    if (bytes > maxBytes) {
      const message = `the answer of the API server is larger than ${maxBytes} bytes`;
      throw new SelvedgeError(message, { code: 'ResourceExhausted' });
    }
    parts.push(part);
  }
  return Buffer.concat(parts, bytes);
}

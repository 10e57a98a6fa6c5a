import { bodyChunks } from '../answers/index.ts';
import type { HubResponse } from '../request.ts';
import { unzipped } from './unzip.ts';

async function* copied(
  response: HubResponse,
  maxBytes: number,
  whole: (bytes: Uint8Array) => Promise<void>,
): AsyncGenerator<Uint8Array, void, void> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of bodyChunks(response)) {
    size += chunk.byteLength;
    if (size <= maxBytes) chunks.push(chunk);
    yield chunk;
  }
  if (size <= maxBytes) await whole(Buffer.concat(chunks));
}

/** The same answer; once all of it has passed, `whole` has it too, unzipped, unless it is larger than `maxBytes` then. */
export function tee(
  response: HubResponse,
  maxBytes: number,
  whole: (bytes: Uint8Array) => Promise<void>,
): HubResponse {
  const zipped = response.headers['content-encoding'] === 'gzip';
  const take = async (bytes: Uint8Array): Promise<void> => {
    const text = zipped ? await unzipped(bytes, maxBytes) : bytes;
    if (text !== undefined) await whole(text);
  };
  return { ...response, body: copied(response, maxBytes, take) };
}

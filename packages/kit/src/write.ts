import { once } from 'node:events';
import type { Writable } from 'node:stream';

/**
 * Writes `chunk` and waits for `drain` when the stream's buffer is full. The one place where backpressure towards a
 * stream is honoured; whole streams go through `pipeline()`. Rejects with the stream's error or the signal's reason.
 */
export async function writeChunk(
  stream: Writable,
  chunk: Uint8Array | string,
  signal: AbortSignal,
): Promise<void> {
  signal.throwIfAborted();
  if (stream.write(chunk)) return;
  await once(stream, 'drain', { signal });
}

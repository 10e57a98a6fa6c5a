import { once } from 'node:events';
import type { Socket } from 'node:net';
import { scoped } from '@selvedge/kit';
import { type Hello, parseClientHello } from './client-hello.ts';

/** The first bytes of a connection, and what they say. */
export interface Greeting {
  readonly hello: Exclude<Hello, { kind: 'incomplete' }>;
  /** All that was read. */
  readonly bytes: Buffer;
}

/** All that is there. */
function* readAll(socket: Socket): Generator<Buffer> {
  for (;;) {
    const chunk = socket.read() as Buffer | null;
    if (chunk === null) return;
    yield chunk;
  }
}

/** Resolves once there may be more to read; with false at the end. */
async function readable(socket: Socket, signal: AbortSignal): Promise<boolean> {
  if (socket.readableEnded) return false;
  using ended = scoped(signal);
  const onEnd = (): void => ended.abort();
  socket.once('end', onEnd);
  try {
    await once(socket, 'readable', { signal: ended.signal });
    return true;
  } catch (error) {
    signal.throwIfAborted();
    if (ended.signal.aborted) return false;
    throw error;
  } finally {
    socket.off('end', onEnd);
  }
}

/** Reads until all of a ClientHello has come; undefined if the connection ends before. Rejects with the signal's reason. */
export async function readHello(socket: Socket, signal: AbortSignal): Promise<Greeting | undefined> {
  const chunks: Buffer[] = [];
  let [size, needs] = [0, 1];
  while (await readable(socket, signal)) {
    for (const chunk of readAll(socket)) {
      chunks.push(chunk);
      size += chunk.length;
    }
    if (size < needs) continue;
    const bytes = Buffer.concat(chunks);
    const hello = parseClientHello(bytes);
    if (hello.kind !== 'incomplete') return { hello, bytes };
    ({ needs } = hello);
  }
  return undefined;
}

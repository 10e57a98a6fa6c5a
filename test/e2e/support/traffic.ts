import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type Socket, connect } from 'node:net';
import { type Readable, type Writable, Readable as Source } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type Clock, systemClock, writeChunk } from '@selvedge/kit';
import { until } from './programs.ts';

const blockBytes = 1024 * 1024;

/** What came of a stream: its bytes, and their SHA-256. */
export interface Tally {
  readonly bytes: number;
  readonly sha256: string;
}

/** Reads a stream to its end, or so many bytes of it and no more than that. */
export async function tallyOf(stream: Readable, maxBytes = Infinity): Promise<Tally> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of stream.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    const wanted = chunk.subarray(0, maxBytes - bytes);
    hash.update(wanted);
    bytes += wanted.length;
    if (wanted.length < chunk.length) stream.unshift(chunk.subarray(wanted.length));
    if (bytes >= maxBytes) break;
  }
  return { bytes, sha256: hash.digest('hex') };
}

export const tallyOfText = (text: string): Tally => ({
  bytes: Buffer.byteLength(text),
  sha256: createHash('sha256').update(text).digest('hex'),
});

/** Writes random bytes to a stream, and ends it. */
export async function pour(
  stream: Writable,
  bytes: number,
  { end = true }: { readonly end?: boolean } = {},
): Promise<Tally> {
  const hash = createHash('sha256');
  const blocks = function* (): Generator<Buffer> {
    for (let left = bytes; left > 0; left -= blockBytes) {
      const block = randomBytes(Math.min(left, blockBytes));
      hash.update(block);
      yield block;
    }
  };
  await pipeline(Source.from(blocks(), { objectMode: false }), stream, { end });
  return { bytes, sha256: hash.digest('hex') };
}

/** A connection to a port of this machine; it is up, as far as who listens there can tell. */
export async function dialHere(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

/** Sizes of what is said in one turn: a key that is pressed, a request, a page, a file. */
const turns = [1, 100, 4_000, 300_000];

export interface ConverseOptions {
  /** Where what is sent comes back. */
  readonly port: number;
  readonly forMs: number;
}

/**
 * Sends in turns of many sizes over one connection, and goes on with the next one when all of the last has come back. Resolves
 * with what was sent and what came back.
 */
export async function converse(
  { port, forMs }: ConverseOptions,
  clock: Clock = systemClock,
): Promise<{ readonly sent: Tally; readonly back: Tally; readonly turns: number }> {
  const socket = await dialHere(port);
  const [sent, back] = [createHash('sha256'), createHash('sha256')];
  const bytes = { sent: 0, back: 0 };
  socket.on('data', (chunk) => {
    back.update(chunk);
    bytes.back += chunk.length;
  });
  const { signal } = new AbortController();
  const endMs = clock.monotonicMs() + forMs;
  let count = 0;
  do {
    const said = randomBytes(turns[count % turns.length] ?? 1);
    sent.update(said);
    bytes.sent += said.length;
    await writeChunk(socket, said, signal);
    await until(`the echo of turn ${count}`, async () => bytes.back >= bytes.sent);
    count += 1;
  } while (count < turns.length || clock.monotonicMs() < endMs);
  socket.destroy();
  return {
    sent: { bytes: bytes.sent, sha256: sent.digest('hex') },
    back: { bytes: bytes.back, sha256: back.digest('hex') },
    turns: count,
  };
}

/**
 * Opens a stream as the API server does, `CONNECT` over the Unix socket of cloud-manager. Source: apiserver,
 * `egressselector.go`.
 */
export async function connectThrough(socketFile: string, authority: string): Promise<Socket> {
  const socket = connect({ path: socketFile, allowHalfOpen: true });
  socket.on('error', () => undefined);
  socket.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n\r\n`);
  let head = '';
  while (!head.includes('\r\n\r\n')) {
    await once(socket, 'readable');
    head += String(socket.read() ?? '');
    if (socket.readableEnded) throw new Error(`it ended after ${head}`);
  }
  if (!/^HTTP\/1\.[01] 200 /.test(head)) throw new Error(`the answer is ${head}`);
  return socket;
}

import { once } from 'node:events';
import { type TLSSocket, connect } from 'node:tls';
import { systemClock, withDeadline, writeChunk } from '@selvedge/kit';
import type { KeyPair } from '../../../bed/pki/certificate.ts';

/** The entrance of a tunnel's server, as the API server uses it: HTTP CONNECT behind mutual TLS. */
export interface Entrance {
  readonly port: number;
  /** What is asked for: the target behind the agent. */
  readonly authority: string;
  readonly ca: string;
  readonly client: KeyPair;
}

const { signal } = new AbortController();
const chunk = Buffer.alloc(64 * 1024);
/** How long one small request may take; what takes longer counts as this. */
export const patienceMs = 5_000;

/** The bytes behind the answer are put back. */
async function accepted(socket: TLSSocket): Promise<void> {
  let seen = Buffer.alloc(0);
  for (;;) {
    await once(socket, 'readable');
    seen = Buffer.concat([seen, (socket.read() as Buffer | null) ?? Buffer.alloc(0)]);
    const end = seen.indexOf('\r\n\r\n');
    if (end < 0 && !socket.readableEnded) continue;
    const status = seen.toString('latin1', 0, seen.indexOf('\r\n'));
    if (!/^HTTP\/1\.[01] 200/.test(status)) throw new Error(`refused: ${status}`);
    if (seen.length > end + 4) socket.unshift(seen.subarray(end + 4));
    return;
  }
}

/** A stream to the target. Rejects after `patienceMs`. */
async function open({ port, authority, ca, client }: Entrance): Promise<TLSSocket> {
  const { certificate: cert, key } = client;
  const socket = connect({ host: '127.0.0.1', port, ca, cert, key });
  socket.on('error', () => undefined);
  try {
    await withDeadline({ what: 'a stream', timeoutMs: patienceMs }, systemClock, async () => {
      await once(socket, 'secureConnect');
      socket.setNoDelay(true);
      socket.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n\r\n`);
      await accepted(socket);
    });
    return socket;
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

/** Resolves with how many came before the end. */
async function readAll(socket: TLSSocket): Promise<number> {
  let seen = 0;
  for await (const data of socket as AsyncIterable<Buffer>) seen += data.length;
  return seen;
}

/** Reads so many bytes from each of so many streams at a time; resolves with MB/s in all. */
export async function download(entrance: Entrance, bytes: number, streams = 1): Promise<number> {
  const sockets = await Promise.all(Array.from({ length: streams }, () => open(entrance)));
  const begun = performance.now();
  const read = sockets.map((socket) => {
    socket.write(`give ${bytes}\n`);
    return readAll(socket);
  });
  const seen = (await Promise.all(read)).reduce((sum, one) => sum + one, 0);
  if (seen !== bytes * streams) throw new Error(`${seen} of ${bytes * streams} bytes came`);
  return seen / 1e3 / (performance.now() - begun);
}

/** Writes so many bytes to one stream, and waits until the target has them; resolves with MB/s. */
export async function upload(entrance: Entrance, bytes: number): Promise<number> {
  const socket = await open(entrance);
  const begun = performance.now();
  const answer = readAll(socket);
  socket.write(`take ${bytes}\n`);
  for (let left = bytes; left > 0; left -= chunk.length) {
    await writeChunk(socket, left < chunk.length ? chunk.subarray(0, left) : chunk, signal);
  }
  if ((await answer) !== 4) throw new Error('the target has not confirmed');
  socket.destroy();
  return bytes / 1e3 / (performance.now() - begun);
}

/** The time until a new stream is open, in milliseconds. */
export async function setUp(entrance: Entrance): Promise<number> {
  const begun = performance.now();
  (await open(entrance)).destroy();
  return performance.now() - begun;
}

/** A new stream, a hundred bytes there and back, in milliseconds; `patienceMs` if they have not come by then. */
export async function request(entrance: Entrance): Promise<number> {
  const begun = performance.now();
  try {
    await withDeadline({ what: 'a request', timeoutMs: patienceMs }, systemClock, async () => {
      const socket = await open(entrance);
      socket.write(`echo\n${'.'.repeat(100)}`);
      await once(socket, 'data').finally(() => socket.destroy());
    });
    return performance.now() - begun;
  } catch {
    return patienceMs;
  }
}

/** A stream in which small things go to and fro, as in an interactive `exec`. */
export interface Shell extends Disposable {
  /** The time until what was typed is there again, in milliseconds. */
  type(): Promise<number>;
}

export async function shell(entrance: Entrance): Promise<Shell> {
  const socket = await open(entrance);
  socket.write('echo\n');
  return {
    async type() {
      const begun = performance.now();
      const answer = once(socket, 'data');
      socket.write('x');
      await answer;
      return performance.now() - begun;
    },
    [Symbol.dispose]: () => void socket.destroy(),
  };
}

/** Streams whose target writes for ever and that are never read. */
export async function stall(entrance: Entrance, count: number): Promise<Disposable> {
  const sockets: TLSSocket[] = [];
  for (let each = 0; each < count; each += 1) {
    // One after another, and beside others that are stalled already: a peer may let no more in.
    const socket = await open(entrance).catch(() => undefined);
    socket?.write('flood\n');
    if (socket !== undefined) sockets.push(socket);
    else break;
  }
  return {
    [Symbol.dispose]() {
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** Streams that are open and silent. */
export async function idle(entrance: Entrance, count: number): Promise<void> {
  for (let each = 0; each < count; each += 1) (await open(entrance)).write('echo\n');
}

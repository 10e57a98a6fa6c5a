import { createHash, randomBytes } from 'node:crypto';
import { finished } from 'node:stream/promises';
import type { TLSSocket } from 'node:tls';
import type { Clock } from '@selvedge/kit';
import { connectRequest, dialTls, headOf } from '../../packages/cloud-manager/src/egress/testing.ts';
import type { KeyPair } from '../bed/pki/certificate.ts';

/** A server whose egress streams are asked of. */
export interface LoadServer {
  readonly name: string;
  readonly port: number;
  /** What takes streams, another one after each start; undefined from before it is told to stop. */
  run: object | undefined;
  /** Streams that it has opened so far. */
  readonly opened: Record<Length, number>;
}

type Length = 'short' | 'long';

export interface LoadOptions {
  readonly servers: readonly LoadServer[];
  /** `host:port`, where all that is sent comes back. */
  readonly target: string;
  readonly ca: string;
  readonly pair: KeyPair;
  /** How long a long stream goes on. */
  readonly longMs: number;
}

/** Streams by what became of them; what went wrong, in words. */
export interface LoadResult {
  readonly complete: Record<Length, number>;
  /** Opened, and not what was sent came back, or not all of it. */
  readonly broken: string[];
  /** Not opened, by a server that was not stopping. */
  readonly refused: string[];
}

const piece = randomBytes(32 * 1024);
const shortPieces = 8;
const longPieces = 25;

interface Pace {
  readonly pieces: number;
  readonly apartMs: number;
}

/** Sends pieces and takes what comes; whether that is the same. */
async function isEchoed(socket: TLSSocket, { pieces, apartMs }: Pace, clock: Clock): Promise<boolean> {
  const sent = createHash('sha256');
  const came = createHash('sha256');
  const ended = finished(socket.on('data', (chunk: Buffer) => came.update(chunk)));
  // Looked at below, when all is sent.
  ended.catch(() => undefined);
  for (let left = pieces; left > 0; left -= 1) {
    const bytes = piece.subarray(left);
    sent.update(bytes);
    socket.write(bytes);
    if (apartMs > 0) await clock.sleep(apartMs);
  }
  socket.end();
  await ended;
  return came.digest('hex') === sent.digest('hex');
}

/** Short and long streams, one after the other for each client, by any server that is up. */
export class StreamLoad {
  readonly result: LoadResult = { complete: { short: 0, long: 0 }, broken: [], refused: [] };
  readonly #options: LoadOptions;
  readonly #clock: Clock;
  readonly #clients: Promise<void>[] = [];
  #over = false;
  #turn = 0;

  constructor(options: LoadOptions, { clock }: { readonly clock: Clock }) {
    this.#options = options;
    this.#clock = clock;
  }

  /** So many clients of each kind. The first streams of those of long ones are shorter, each by another time. */
  start({ short, long }: Record<Length, number>): void {
    const apartMs = this.#options.longMs / longPieces;
    for (let at = 0; at < short; at += 1) this.#clients.push(this.#client('short', [0, 0]));
    for (let at = 1; at <= long; at += 1) {
      this.#clients.push(this.#client('long', [(apartMs * at) / long, apartMs]));
    }
  }

  /** Resolves when the last streams have ended. */
  async end(): Promise<LoadResult> {
    this.#over = true;
    await Promise.all(this.#clients);
    return this.result;
  }

  async #client(length: Length, [firstMs, apartMs]: readonly [number, number]): Promise<void> {
    await this.#use(length, firstMs);
    while (!this.#over) await this.#use(length, apartMs);
  }

  #next(): LoadServer {
    const up = this.#options.servers.filter(({ run }) => run !== undefined);
    const server = up[(this.#turn += 1) % up.length];
    if (server === undefined) throw new Error('no server is up');
    return server;
  }

  async #use(length: Length, apartMs: number): Promise<void> {
    const { target, ca, pair } = this.#options;
    const { result } = this;
    const server = this.#next();
    const { run } = server;
    const socket = await dialTls({ port: server.port, ca, pair });
    try {
      socket.write(connectRequest(target));
      const head = await headOf(socket);
      if (!head.startsWith('HTTP/1.1 200 ')) {
        if (server.run === run) result.refused.push(`${length} by ${server.name}: ${head}`);
        return;
      }
      server.opened[length] += 1;
      const pieces = length === 'short' ? shortPieces : longPieces;
      if (await isEchoed(socket, { pieces, apartMs }, this.#clock)) result.complete[length] += 1;
      else result.broken.push(`${length} by ${server.name}: other bytes`);
    } catch (error) {
      result.broken.push(`${length} by ${server.name}: ${String(error)}`);
    } finally {
      socket.destroy();
    }
  }
}

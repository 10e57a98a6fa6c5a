import { Duplex } from 'node:stream';
import { closeWhenRead } from './close-when-read.ts';

/** What is written while the socket is full; a peer that grants a session more than it should is not read either. */
const maxUnsentBytes = 32 * 1024 * 1024;

/** Chunks that are smaller on average are joined: each costs hundreds of bytes besides, as long as it is unsent. */
const smallBytes = 1024;

/**
 * What an agent lays TLS and HTTP/2 over, so that both ends may fill the connection at once. Node's HTTP/2 does not read
 * while a write is under way: two ends that write much to each other wait for one another for good, unless one of them
 * always reads. Here a write that waits for room counts as done as soon as something is there to be read. What may then be
 * unsent is bounded by the windows that the other end grants. The server, which has many sessions, goes without.
 */
export class BothWays extends Duplex {
  readonly #socket: Duplex;
  #waiting: (() => void) | undefined;

  constructor(socket: Duplex) {
    super({ allowHalfOpen: true, writableHighWaterMark: 1 });
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => {
      if (!this.push(chunk)) socket.pause();
      if (socket.writableLength < maxUnsentBytes) this.#proceed();
    });
    socket.once('end', () => closeWhenRead(this));
    socket.on('drain', () => this.#proceed());
    socket.once('error', (error) => this.destroy(error));
    socket.once('close', () => {
      this.#proceed();
      closeWhenRead(this);
    });
  }

  /** What waits because the other end does not read. */
  get unsentBytes(): number {
    return this.#socket.writableLength;
  }

  override _read(): void {
    this.#socket.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#socket.write(chunk);
    this.#settle(done);
  }

  override _writev(chunks: readonly { readonly chunk: Buffer }[], done: () => void): void {
    const bytes = chunks.reduce((sum, { chunk }) => sum + chunk.length, 0);
    if (bytes < chunks.length * smallBytes) {
      this.#socket.write(Buffer.concat(chunks.map(({ chunk }) => chunk)));
    } else {
      this.#socket.cork();
      for (const { chunk } of chunks) this.#socket.write(chunk);
      this.#socket.uncork();
    }
    this.#settle(done);
  }

  override _final(done: () => void): void {
    this.#socket.end(done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#socket.destroy();
    this.#proceed();
    done(error);
  }

  #settle(done: () => void): void {
    const unsent = this.#socket.writableLength;
    const readable = this.readableLength > 0 && unsent < maxUnsentBytes;
    if (!this.#socket.writableNeedDrain || readable || this.destroyed) done();
    else this.#waiting = done;
  }

  #proceed(): void {
    const done = this.#waiting;
    this.#waiting = undefined;
    done?.();
  }
}

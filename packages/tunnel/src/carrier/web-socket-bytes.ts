import { Duplex } from 'node:stream';
import type { RawData, WebSocket } from 'ws';
import { closeWhenRead } from './close-when-read.ts';

/** Of one message; a longer one ends the connection before its bytes are awaited. */
const maxMessageBytes = 64 * 1024;

/** What may be unsent before the writer waits. */
const maxUnsentBytes = 256 * 1024;

/** What both ends ask of the library: no compression of what is encrypted, no long messages. */
export const webSocketOptions = { perMessageDeflate: false, maxPayload: maxMessageBytes } as const;

/** The bytes of a WebSocket's binary messages, whose borders mean nothing. Text ends the connection. */
export class WebSocketBytes extends Duplex {
  readonly #webSocket: WebSocket;

  constructor(webSocket: WebSocket) {
    super({ writableHighWaterMark: maxMessageBytes });
    this.#webSocket = webSocket;
    this.on('error', () => undefined);
    webSocket.on('message', (data: RawData, isBinary) => this.#take(data, isBinary));
    webSocket.on('error', (error) => this.destroy(error));
    webSocket.once('close', () => closeWhenRead(this));
  }

  override _read(): void {
    if (this.#webSocket.isPaused) this.#webSocket.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error) => void): void {
    const webSocket = this.#webSocket;
    const waits = webSocket.bufferedAmount + chunk.length > maxUnsentBytes;
    for (let at = 0; at < chunk.length; at += maxMessageBytes) {
      const isLast = at + maxMessageBytes >= chunk.length;
      const piece = chunk.subarray(at, at + maxMessageBytes);
      webSocket.send(piece, { binary: true }, isLast && waits ? done : (error) => this.#failed(error));
    }
    if (!waits || chunk.length === 0) done();
  }

  override _final(done: () => void): void {
    this.#webSocket.close();
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#webSocket.terminate();
    done(error);
  }

  #take(data: RawData, isBinary: boolean): void {
    if (!isBinary || !Buffer.isBuffer(data)) this.destroy(new Error('a message that is not binary'));
    else if (!this.push(data)) this.#webSocket.pause();
  }

  /** The library says null, too, when nothing is wrong. */
  #failed(error: Error | null | undefined): void {
    if (error instanceof Error) this.destroy(error);
  }
}

import { constants, type Http2Stream } from 'node:http2';
import { Duplex } from 'node:stream';
import { setImmediate } from 'node:timers';
import { errorOfReset, resetOf } from '../protocol/resets.ts';
import type { Ledger } from './ledger.ts';
import { reset } from './reset.ts';

export interface TunnelStreamDeps {
  readonly ledger: Ledger;
  /** The session. */
  readonly owner: object;
  /** Why the session broke, if it has. */
  readonly brokenBy: () => Error | undefined;
  /** Told of bytes that the reader has room for. */
  readonly onData: (bytes: number) => void;
  /** What HTTP/2 was given by all streams of the session and has not sent. */
  readonly unsent: { bytes: number };
}

/**
 * What all streams of a session may have unsent before each waits for its own last piece. A session that writes does not
 * read: on a slow line all of it goes before the next look at what came.
 */
const maxUnsentBytes = 512 * 1024;

const ignore = (): void => undefined;

/**
 * One stream of a session as a Duplex like any other. Ending it is a half-close; destroying it resets the stream, with
 * the code that the error stands for. What a reader does not take stays within the stream's window and goes into the
 * ledger. (Node takes an HTTP/2 stream whose last frame has come for closed even before anybody has read it; pipelines
 * that begin then lose what is there. So it is read from the start.)
 */
export class TunnelStream extends Duplex {
  readonly #stream: Http2Stream;
  readonly #deps: TunnelStreamDeps;
  #received = 0;
  #sent = 0;

  constructor(stream: Http2Stream, deps: TunnelStreamDeps) {
    super({ writableHighWaterMark: 16 * 1024 });
    this.#stream = stream;
    this.#deps = deps;
    // Whoever uses it hears of it; an error of one that nobody uses any more is nobody's.
    this.on('error', ignore);
    stream.on('data', (chunk: Buffer) => this.#take(chunk));
    // Node ends a stream that is reset as if it were complete, and tells of the reset a little later.
    stream.on('end', () => setImmediate(() => this.#ended()));
    stream.on('error', (error) => this.destroy(this.#failure(error)));
    stream.on('close', () => this.#closed());
  }

  /** Bytes that came from, and went to, the other end. */
  get receivedBytes(): number {
    return this.#received;
  }

  get sentBytes(): number {
    return this.#sent;
  }

  get owner(): object {
    return this.#deps.owner;
  }

  /** Bytes that wait here for the reader, and for the other end. */
  get heldBytes(): number {
    const stream = this.#stream;
    // What is being written is counted by both until it has gone.
    const writable = Math.max(this.writableLength, stream.writableLength);
    return this.readableLength + stream.readableLength + writable;
  }

  override _read(): void {
    this.#stream.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    const { unsent, ledger } = this.#deps;
    const bytes = chunk.length;
    this.#sent += bytes;
    unsent.bytes += bytes;
    let waits = true;
    const hasRoom = this.#stream.write(chunk, () => {
      unsent.bytes -= bytes;
      if (waits) done();
    });
    if (this.#stream.writableLength > 0) ledger.hold(this);
    waits = !hasRoom || unsent.bytes > maxUnsentBytes;
    if (!waits) done();
  }

  override _final(done: () => void): void {
    this.#stream.end(done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    const stream = this.#stream;
    this.#deps.ledger.forget(this);
    const complete = this.readableEnded && this.writableFinished;
    if (!stream.destroyed && !complete) reset(stream, resetOf(error));
    done(error);
  }

  #take(chunk: Buffer): void {
    this.#received += chunk.length;
    this.#deps.onData(chunk.length);
    const hasRoom = this.push(chunk);
    if (this.readableLength > 0) this.#deps.ledger.hold(this);
    if (!hasRoom) this.#stream.pause();
  }

  #failure(cause?: unknown): Error {
    const code = this.#stream.rstCode ?? constants.NGHTTP2_CANCEL;
    return this.#deps.brokenBy() ?? errorOfReset(code, cause);
  }

  get #isReset(): boolean {
    return (this.#stream.rstCode ?? constants.NGHTTP2_NO_ERROR) !== constants.NGHTTP2_NO_ERROR;
  }

  #ended(): void {
    if (this.#isReset) this.destroy(this.#failure());
    else if (!this.destroyed) this.push(null);
  }

  #closed(): void {
    const { readableEnded, writableFinished } = this.#stream;
    if (this.#isReset || !readableEnded || !writableFinished) this.destroy(this.#failure());
  }
}

import { constants, type ClientHttp2Stream } from 'node:http2';
import { Readable } from 'node:stream';
import { broken } from '@selvedge/kit/net';

/**
 * The body of an answer as a stream like any other. Node takes an HTTP/2 stream whose last frame has come for closed even
 * before anybody has read it; iteration and pipelines that begin then break off and lose what is there.
 */
export class Http2Body extends Readable {
  readonly #stream: ClientHttp2Stream;

  constructor(stream: ClientHttp2Stream, host: string) {
    super();
    this.#stream = stream.pause();
    // Whoever reads hears of it; one that nobody reads any more is nobody's business.
    this.on('error', () => undefined);
    stream.on('data', (chunk: Buffer) => {
      if (!this.push(chunk)) stream.pause();
    });
    stream.once('end', () => this.push(null));
    stream.once('error', (error) => this.destroy(error));
    stream.once('close', () => {
      if (!stream.readableEnded) this.destroy(broken(host));
    });
  }

  override _read(): void {
    this.#stream.resume();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    const stream = this.#stream;
    if (!stream.readableEnded && !stream.destroyed) {
      stream.close(constants.NGHTTP2_CANCEL);
      stream.destroy();
    }
    done(error);
  }
}

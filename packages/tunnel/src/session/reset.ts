import type { Http2Stream } from 'node:http2';

/**
 * Resets a stream and lets go of it. Node ends a stream before it resets it, so that the other end would first see a
 * stream that is complete; `end` does nothing here.
 */
export function reset(stream: Http2Stream, code: number): void {
  stream.end = () => stream;
  if (!stream.closed) stream.close(code);
  stream.destroy();
}

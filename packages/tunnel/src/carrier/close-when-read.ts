import type { Duplex } from 'node:stream';
import { setImmediate } from 'node:timers';

/**
 * Closes a stream for Node's TLS or HTTP/2 once what it holds has been read, instead of ending it: what they lay over a
 * stream that is no socket ends its own side then, and fails an assertion of Node's on the next write (24.21).
 */
export function closeWhenRead(stream: Duplex): void {
  const check = (): void => {
    if (stream.readableLength === 0) stream.destroy();
  };
  stream.on('data', () => setImmediate(check));
  setImmediate(check);
}

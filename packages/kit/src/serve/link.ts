import type { TLSSocket } from 'node:tls';
import { aborted } from '../index.ts';

/** What is known of a client's connection, at least. */
export interface Link {
  readonly remoteAddress: string;
  /** Aborts with the end of the connection. */
  readonly closed: AbortSignal;
}

export function linkTo(socket: TLSSocket): Link {
  const connection = new AbortController();
  socket.once('close', () => connection.abort(aborted('the connection')));
  return { remoteAddress: socket.remoteAddress ?? '', closed: connection.signal };
}

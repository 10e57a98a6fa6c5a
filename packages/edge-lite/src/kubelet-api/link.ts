import type { TLSSocket } from 'node:tls';
import { aborted } from '@selvedge/kit';

/** What is known of a client's connection. */
export interface Link {
  readonly remoteAddress: string;
  /** DER of the leaf, whose key TLS has proven; whether it is valid is looked at with each request. */
  readonly certificate: Uint8Array | undefined;
  /** The bearer token that was accepted last. */
  lastToken: string | undefined;
  /** Aborts with the end of the connection. */
  readonly closed: AbortSignal;
}

export function linkOf(socket: TLSSocket): Link {
  const connection = new AbortController();
  socket.once('close', () => connection.abort(aborted('the connection')));
  return {
    remoteAddress: socket.remoteAddress ?? '',
    certificate: socket.getPeerX509Certificate()?.raw,
    lastToken: undefined,
    closed: connection.signal,
  };
}

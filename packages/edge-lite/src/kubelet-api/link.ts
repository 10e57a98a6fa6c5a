import type { TLSSocket } from 'node:tls';
import { type Link as Connection, linkTo } from '@selvedge/kit/serve';

/** What is known of a client's connection. */
export interface Link extends Connection {
  /** DER of the leaf, whose key TLS has proven; whether it is valid is looked at with each request. */
  readonly certificate: Uint8Array | undefined;
  /** The bearer token that was accepted last. */
  lastToken: string | undefined;
}

export const linkOf = (socket: TLSSocket): Link => ({
  ...linkTo(socket),
  certificate: socket.getPeerX509Certificate()?.raw,
  lastToken: undefined,
});

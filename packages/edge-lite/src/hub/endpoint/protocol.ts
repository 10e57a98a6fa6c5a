import type { TLSSocket } from 'node:tls';
import type { Exchange } from './exchange.ts';
import type { Link } from './link.ts';
import type { UpgradeRequest } from './upgrade.ts';

/** Where the requests of a connection go. */
export interface Sinks {
  readonly exchange: (exchange: Exchange) => void;
  readonly upgrade: (upgrade: UpgradeRequest) => void;
}

/** One version of HTTP, on connections that others have accepted and secured. */
export interface Protocol {
  take(socket: TLSSocket, link: Link): void;
  /**
   * Stops its timers, lets go of connections without requests and tells the clients of others to ask elsewhere. Resolves once
   * all that can end by themselves have; what is left is ended by who accepted it.
   */
  close(): Promise<void>;
}

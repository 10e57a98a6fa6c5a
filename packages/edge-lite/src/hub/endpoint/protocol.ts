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
  /** Stops its timers. Connections are ended by who accepted them. */
  close(): void;
}

import type { IncomingMessage } from 'node:http';
import type { Http2ServerRequest } from 'node:http2';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import type { SelvedgeError } from '../index.ts';
import type { WholeAnswer } from './answer.ts';
import type { ResponseStream } from './respond.ts';

/** One request, where its answer goes, and what is known of its connection. */
export interface Exchange<L> {
  readonly request: IncomingMessage | Http2ServerRequest;
  readonly response: ResponseStream;
  readonly link: L;
  /** Settles when the answers before it on the same connection are through; those of HTTP/2 do not wait. */
  readonly turn?: Promise<void>;
}

/** A request for another protocol on the same connection: SPDY or WebSocket, as `kubectl exec` sends it. */
export interface Upgrade<L> {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  /** What came behind the request. */
  readonly head: Buffer;
  readonly link: L;
}

/** Where the requests of a connection go. */
export interface Sinks<L> {
  readonly exchange: (exchange: Exchange<L>) => void;
  readonly upgrade: (upgrade: Upgrade<L>) => void;
  /** Any other request is answered as if it had asked for no other protocol. */
  readonly isUpgrade: (request: IncomingMessage) => boolean;
  /** The answer to what the parser did not take; `details.status` is set where it is not 400. */
  readonly refusal: (error: SelvedgeError) => WholeAnswer;
}

/** One version of HTTP, on connections that others have accepted and secured. */
export interface Protocol<L> {
  take(socket: TLSSocket, link: L): void;
  /**
   * Stops its timers, lets go of connections without requests and tells the clients of others to ask elsewhere. Resolves once
   * all that can end by themselves have; what is left is ended by who accepted it.
   */
  close(): Promise<void>;
}

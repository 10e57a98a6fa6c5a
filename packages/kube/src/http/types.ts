import type { IncomingHttpHeaders } from 'node:http';
import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';

/** How long the things that may hang are waited for, in milliseconds. */
export interface HttpTimeouts {
  /** TCP connection; less than the deadline of short calls, so that these can move on to another server. Default 5,000. */
  readonly dialMs: number;
  /** TLS handshake and HTTP/2 settings. Default 10,000. */
  readonly handshakeMs: number;
  /** From the request to the head of its answer. Default 30,000. */
  readonly firstByteMs: number;
  /** Silence while an answer is being read. Default 30,000. */
  readonly idleMs: number;
  /** Silence of an HTTP/2 connection in use, after which it is pinged. Default 10,000. */
  readonly quietMs: number;
  /** How long the answer to a ping is waited for; the connection is given up after that. Default 5,000. */
  readonly pingMs: number;
}

export const defaultTimeouts: HttpTimeouts = {
  dialMs: 5_000,
  handshakeMs: 10_000,
  firstByteMs: 30_000,
  idleMs: 30_000,
  quietMs: 10_000,
  pingMs: 5_000,
};

export interface HttpRequest {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array | undefined;
  /** It stays for minutes, as a watch does, so it must not take the last room of a server. Default false. */
  readonly longRunning?: boolean | undefined;
  /** Ends the request, and the reading of the answer too. */
  readonly signal: AbortSignal;
}

export interface HttpResponse {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** To be read to its end or destroyed. */
  readonly body: Readable;
  /** Throws `Unavailable` if the body ended only because the connection or the stream broke. Asked after its end. */
  checkComplete(): void;
}

/** The answer to a request for another protocol. Source: RFC 9110 section 7.8, `Upgrade`. */
export interface Upgraded {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Bytes both ways, those that came behind the head first. Undefined if the server refused: then `body` says why. */
  readonly socket: Socket | undefined;
  readonly body: Buffer;
}

/** A connection to one server, for one identity. */
export interface HttpConnection {
  /** False once it drains or is closed. */
  readonly open: boolean;
  /** False when another connection is needed for the next request: it is not open, or full. */
  readonly usable: boolean;
  /** Resolves once nothing of it is left; with an error if it broke or was given up, and was not closed on purpose. */
  readonly closed: Promise<unknown>;
  /** When bytes were last seen to have come, on the clock's monotonic scale; where nobody looks, `-Infinity`. */
  readonly heardMs: number;
  request(request: HttpRequest): Promise<HttpResponse>;
  /** Takes no more requests and closes once those under way have ended, or after a while. */
  drain(): void;
  destroy(): void;
}

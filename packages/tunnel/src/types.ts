/** How the bytes of a session travel. `websocket`: TLS inside a WebSocket, for what lets only HTTP through. */
export type Carrier = 'tls' | 'websocket';

/** Who opens streams in a session: `reverse`, the server, to reach an edge; `forward`, the agent, to reach services. */
export type Direction = 'reverse' | 'forward';

/** Where a stream of a reverse session goes: `host:port`, the host a name or an address (IPv6 without brackets). */
export interface Target {
  readonly host: string;
  readonly port: number;
}

/** What one end proves itself with and whom it trusts. All PEM. */
export interface TunnelCredentials {
  readonly certificate: string;
  readonly privateKey: string;
  /** The authorities that may have signed the other end's certificate; nothing else is trusted. */
  readonly certificateAuthority: string;
}

/**
 * The life of a session, as both ends see it.
 * `provisional`: it works, but an older session of the same peer is not known to be dead, and is used as long as it answers.
 * `draining`: no new streams; those that run may end. `ended`: nothing of it is left.
 */
export type SessionState =
  | { readonly kind: 'provisional' }
  | { readonly kind: 'live' }
  | { readonly kind: 'draining'; readonly reason: string }
  | { readonly kind: 'ended'; readonly reason: string };

/** A session at one moment. */
export interface SessionView {
  /** Unique in this process. */
  readonly id: number;
  /** The name that the other end proved. */
  readonly peer: string;
  readonly direction: Direction;
  readonly carrier: Carrier;
  /** Of the protocol: the highest that both know. */
  readonly version: number;
  /** `address:port` from which its TCP connection came, or to which it went; IPv6 in brackets, unless it carries IPv4. */
  readonly remote: string;
  /** Milliseconds since the Unix epoch. */
  readonly sinceMs: number;
  readonly streams: number;
  /** Bytes of the inner TLS connection so far. */
  readonly receivedBytes: number;
  readonly sentBytes: number;
  readonly state: SessionState;
}

/** Caps and windows of sessions; see docs/limits.md. */
export interface SessionLimits {
  /** Streams of one session. Default 1,000. */
  readonly maxStreams: number;
  /** What a stream may hold unread, at the start and whenever there are many. Default 256 KiB. */
  readonly streamWindowBytes: number;
  /**
   * What one may hold on a link where that much is on its way, if there are few. Default 24 MiB: twice what is on its way in
   * 100 ms × 1 Gbit/s, for an end tells the other of room once half of the window has been read.
   */
  readonly maxStreamWindowBytes: number;
  /** Unread bytes of all streams of one session; above, the one that holds most is reset. Default 32 MiB. */
  readonly maxSessionBytes: number;
  /** Unread bytes in all, likewise. Default 256 MiB. */
  readonly maxBytes: number;
}

/** How long the things that may hang are waited for, in milliseconds. */
export interface SessionTimeouts {
  /** TLS, WebSocket upgrade and HTTP/2 settings, each. Default 10,000. */
  readonly handshakeMs: number;
  /** From the request for a stream to its answer; includes the dial at the other end. Default 15,000. */
  readonly openMs: number;
  /**
   * Silence after which the other end is pinged. Default 10,000, the server 11,000: a ping and its answer are a sign of life
   * for both ends, so that one asks for both as long as both live.
   */
  readonly quietMs: number;
  /** How long any byte is waited for then. Default 4,000, the server 3,000: either notices a dead peer within 15 s. */
  readonly pingMs: number;
  /** How long streams may go on in a session that drains. Default 60,000. */
  readonly drainMs: number;
}

export const defaultLimits: SessionLimits = {
  maxStreams: 1_000,
  streamWindowBytes: 256 * 1024,
  maxStreamWindowBytes: 24 * 1024 * 1024,
  maxSessionBytes: 32 * 1024 * 1024,
  maxBytes: 256 * 1024 * 1024,
};

export const defaultTimeouts: SessionTimeouts = {
  handshakeMs: 10_000,
  openMs: 15_000,
  quietMs: 10_000,
  pingMs: 4_000,
  drainMs: 60_000,
};

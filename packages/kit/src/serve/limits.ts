/** Caps on the connections of one listener. */
export interface ConnectionLimits {
  /** In all; what is not of the loopback addresses leaves them their number. */
  readonly maxConnections: number;
  /** From one address. Loopback addresses share a larger number: the agents of the node come from there. */
  readonly maxConnectionsPerSource: number;
  readonly maxConnectionsFromLoopback: number;
}

/** Caps on what one user has under way. */
export interface QuotaLimits {
  /** Watches, followed logs and upgraded connections of one user. */
  readonly maxLongRunningPerUser: number;
  /** Other requests of one user that are under way, until their answers are sent. */
  readonly maxRequestsPerUser: number;
}

/** Caps on bearer tokens that nobody knows yet. */
export interface StrangerLimits {
  /** Unknown tokens of one address, all loopback addresses together, that are looked at; that wait for it. */
  readonly maxAuthentications: number;
  readonly maxAuthenticationsWaiting: number;
  /** Unknown tokens of one address that were refused; one of them is forgiven after each `forgiveRefusalMs`. */
  readonly maxRefusals: number;
  readonly forgiveRefusalMs: number;
}

/** Caps and times of the body of one request. */
export interface BodyLimits {
  /** Of one request. */
  readonly maxBodyBytes: number;
  /** For all of a request's body. */
  readonly bodyMs: number;
  /** For room in memory, before a body is read whose length is declared. Default: it is not waited for. */
  readonly roomMs?: number;
}

/** Caps and times of HTTP/2. */
export interface Http2Limits {
  /** Of one connection. */
  readonly maxStreams: number;
  readonly maxHeaderBytes: number;
  /** For a connection without a request, and for a client that does not take its answer. */
  readonly idleMs: number;
}

/** Caps and times of HTTP/1.1. */
export interface Http1Limits {
  readonly maxHeaderBytes: number;
  /** Requests of one connection that were sent before the answer to the first of them; they are answered in turn. */
  readonly maxPipelined: number;
  /** For all of a request's headers. */
  readonly headersMs: number;
  /** For all of a request's body. */
  readonly bodyMs: number;
  /** For a connection without a request, and for a client that does not take its answer. */
  readonly idleMs: number;
}

/** Caps and times of a listener for HTTPS. */
export interface HttpsLimits extends ConnectionLimits, Http1Limits {
  /** Of one HTTP/2 connection, where it is spoken. */
  readonly maxStreams?: number;
  /** Connections that have not asked for anything yet; one more costs the eldest its place. Default: `maxConnections`. */
  readonly maxNewcomers?: number;
  readonly handshakeMs: number;
  /** For the requests that are under way when it stops. */
  readonly drainMs: number;
}

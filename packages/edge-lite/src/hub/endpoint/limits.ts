/** Caps and times of the endpoint; docs/limits.md says what happens beyond them. */
export interface EndpointLimits {
  readonly maxConnections: number;
  /** From one address. Loopback addresses share a larger number: the agents of the node come from there. */
  readonly maxConnectionsPerSource: number;
  readonly maxConnectionsFromLoopback: number;
  /** Of one HTTP/2 connection. */
  readonly maxStreams: number;
  /** Requests of one HTTP/1.1 connection that were sent before the answer to the first of them. */
  readonly maxPipelined: number;
  /** Watches, followed logs and upgraded connections of one user. */
  readonly maxLongRunningPerUser: number;
  /** Other requests of one user that are under way. */
  readonly maxRequestsPerUser: number;
  readonly maxHeaderBytes: number;
  /** Of one request; as the API server's own. */
  readonly maxBodyBytes: number;
  /** Of all requests that are under way. */
  readonly maxBodyBytesInAll: number;
  readonly handshakeMs: number;
  /** For all of a request's headers. */
  readonly headersMs: number;
  /** For all of a request's body. */
  readonly bodyMs: number;
  /** For a connection without a request, and for a client that does not take its answer. */
  readonly idleMs: number;
}

export const defaultLimits: EndpointLimits = {
  maxConnections: 1_024,
  maxConnectionsPerSource: 128,
  maxConnectionsFromLoopback: 512,
  maxStreams: 250,
  maxPipelined: 16,
  maxLongRunningPerUser: 1_000,
  maxRequestsPerUser: 200,
  maxHeaderBytes: 64 * 1024,
  maxBodyBytes: 3 * 1024 * 1024,
  maxBodyBytesInAll: 32 * 1024 * 1024,
  handshakeMs: 10_000,
  headersMs: 30_000,
  bodyMs: 60_000,
  idleMs: 120_000,
};

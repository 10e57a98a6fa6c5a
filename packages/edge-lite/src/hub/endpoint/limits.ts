import type { BodyLimits, HttpsLimits, QuotaLimits, StrangerLimits } from '@selvedge/kit/serve';

/** Caps and times of the endpoint; docs/limits.md says what happens beyond them. */
export interface EndpointLimits extends HttpsLimits, QuotaLimits, StrangerLimits, BodyLimits {
  /** Of one HTTP/2 connection. */
  readonly maxStreams: number;
  /** Of all requests that are under way. */
  readonly maxBodyBytesInAll: number;
  /** Of those of one user, and of those of one pod's address. */
  readonly maxBodyBytesEach: number;
  /**
   * Of answers that clients have not taken yet: of all, of one user's or one pod's address'. The first 64 KiB of whole ones
   * count for nothing; of streamed ones a piece on its way counts twice, and what is read ahead of it, 256 KiB at most.
   */
  readonly maxAnswerBytesInAll: number;
  readonly maxAnswerBytesEach: number;
  /** Of the bodies of requests, and of answers: what only the node's own kubelet may fill. */
  readonly reservedBytes: number;
}

export const defaultLimits: EndpointLimits = {
  maxConnections: 1_024,
  maxConnectionsPerSource: 64,
  maxConnectionsFromLoopback: 512,
  maxStreams: 250,
  maxPipelined: 16,
  maxLongRunningPerUser: 1_000,
  maxRequestsPerUser: 200,
  maxAuthentications: 8,
  maxAuthenticationsWaiting: 200,
  maxRefusals: 20,
  forgiveRefusalMs: 1_000,
  maxHeaderBytes: 64 * 1024,
  // As the API server's own.
  maxBodyBytes: 3 * 1024 * 1024,
  maxBodyBytesInAll: 32 * 1024 * 1024,
  maxBodyBytesEach: 8 * 1024 * 1024,
  maxAnswerBytesInAll: 32 * 1024 * 1024,
  maxAnswerBytesEach: 8 * 1024 * 1024,
  reservedBytes: 8 * 1024 * 1024,
  handshakeMs: 10_000,
  headersMs: 30_000,
  bodyMs: 60_000,
  idleMs: 120_000,
  drainMs: 2_000,
};

import type { HttpsLimits, QuotaLimits, StrangerLimits } from '@selvedge/kit/serve';

/** Caps and times of the kubelet's API; docs/limits.md says what happens beyond them. */
export interface KubeletApiLimits extends HttpsLimits, QuotaLimits, StrangerLimits {
  /** For a stream over which nothing goes. The kubelet's `streamingConnectionIdleTimeout`. */
  readonly streamIdleMs: number;
}

/** The user is the API server itself for all that people do by kubectl. */
export const defaultLimits: KubeletApiLimits = {
  maxConnections: 512,
  maxConnectionsPerSource: 128,
  maxConnectionsFromLoopback: 256,
  maxNewcomers: 64,
  maxLongRunningPerUser: 256,
  maxRequestsPerUser: 100,
  maxAuthentications: 8,
  maxAuthenticationsWaiting: 200,
  maxRefusals: 20,
  forgiveRefusalMs: 1_000,
  maxHeaderBytes: 64 * 1024,
  maxPipelined: 16,
  headersMs: 30_000,
  bodyMs: 30_000,
  idleMs: 90_000,
  handshakeMs: 10_000,
  streamIdleMs: 4 * 3_600_000,
  drainMs: 2_000,
};

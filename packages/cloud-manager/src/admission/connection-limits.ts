import type { HttpsLimits } from '@selvedge/kit/serve';

/**
 * An API server asks about 600 writes at a time (`--max-requests-inflight` and `--max-mutating-requests-inflight`), each on
 * a connection of its own: it speaks HTTP/1.1 to webhooks. One that were reset would let its write pass. Source: client.go
 * of k8s.io/apiserver, pkg/util/webhook.
 */
export const apiServerLimits: Partial<HttpsLimits> = {
  maxConnections: 4_096,
  maxConnectionsPerSource: 768,
  maxConnectionsFromLoopback: 768,
  maxNewcomers: 768,
};

/**
 * For a webhook that asks for no client certificate, where whoever reaches the port may be the API server: an address has a
 * part of the connections, a silent one loses its own soon, and the eldest of those that ask for nothing goes first.
 */
export const strangerLimits: Partial<HttpsLimits> = {
  ...apiServerLimits,
  handshakeMs: 5_000,
  headersMs: 5_000,
  bodyMs: 5_000,
  idleMs: 30_000,
};

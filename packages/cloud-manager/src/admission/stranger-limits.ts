import type { HttpsLimits } from '@selvedge/kit/serve';

/**
 * For a webhook that asks for no client certificate, where whoever reaches the port may be the API server: an address has a
 * part of the connections, a silent one loses its own soon, and the eldest of those that ask for nothing goes first.
 */
export const strangerLimits: Partial<HttpsLimits> = {
  maxConnections: 160,
  maxConnectionsPerSource: 32,
  maxConnectionsFromLoopback: 32,
  maxNewcomers: 32,
  handshakeMs: 5_000,
  headersMs: 5_000,
  bodyMs: 5_000,
  idleMs: 30_000,
};

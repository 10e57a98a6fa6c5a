export { onAway } from './away.ts';
export { createLastKnown } from './last-known.ts';
export type { UpstreamTimings } from './timings.ts';
export type {
  Connectivity,
  UpgradedConnection,
  Upstream,
  UpstreamRequest,
  UpstreamResponse,
} from './types.ts';
export { createUpstream, type UpstreamDeps, type UpstreamOptions } from './upstream.ts';

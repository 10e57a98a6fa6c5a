export { createEndpoint, type Endpoint, type EndpointDeps, type EndpointOptions } from './endpoint.ts';
export type { EndpointLimits } from './limits.ts';
export type { Relayed } from './relay.ts';

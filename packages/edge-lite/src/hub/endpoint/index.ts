export { createEndpoint, type Endpoint, type EndpointDeps, type EndpointOptions } from './endpoint.ts';
export { defaultLimits, type EndpointLimits } from './limits.ts';
export type { Relayed } from './relay.ts';

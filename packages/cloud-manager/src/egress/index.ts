export { createClusterCaches, type ClusterCaches } from './cluster-caches.ts';
export { createClusterView, nodeIndexers } from './cluster-view.ts';
export { egressSelectorConfiguration } from './configuration.ts';
export {
  type ConnectLimits,
  type ConnectListener,
  type Shown,
  createOpenListener,
  defaultConnectLimits,
} from './connect-listener.ts';
export { type ClusterView, type NamedNode, nodesOfName, resolve } from './destination.ts';
export { createDial } from './dial.ts';
export { type Egress, createEgress } from './egress.ts';
export { type EgressMetrics, createEgressMetrics } from './metrics.ts';
export { openRelayed } from './relay-client.ts';
export { type Opened, type Router, createRouter } from './router.ts';
export { type Opening, type StreamLimits, defaultStreamLimits, serveConnect } from './serve-connect.ts';

export { createNodeLease, type NodeLease, type NodeLeaseDeps, type NodeLeaseOptions } from './node-lease.ts';

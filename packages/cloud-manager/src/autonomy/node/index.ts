export { Failover } from './failover.ts';
export { createMirror, type NodeMirror } from './mirror.ts';
export { heldReason } from './node-plan.ts';

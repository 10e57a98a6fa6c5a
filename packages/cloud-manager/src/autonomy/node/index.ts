export { Failover, failoverAnnotation } from './failover.ts';
export { createMirror, type NodeMirror } from './mirror.ts';
export { autonomousTaint, conditionType, heldReason } from './node-plan.ts';

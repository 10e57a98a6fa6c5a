export { type NodeChange, patchOfNode } from './change.ts';
export { type Given, givenBy } from './fields.ts';
export { type NodePlan, type NodeStep, planNode } from './plan-node.ts';

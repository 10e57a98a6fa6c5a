export { patchOfNode } from './change.ts';
export { type Given, givenBy } from './fields.ts';
export { type NodeFacts, type NodeStep, planNode } from './plan-node.ts';

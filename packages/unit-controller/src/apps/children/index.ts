export { withoutFields } from './field-set.ts';
export { type ChildStep, planChild } from './plan-child.ts';
export { type Intent, intentOf, isWorkload } from './intent.ts';
export { type Keep, type SeenChild, createKeep, podTemplateOf, revisionOf, unitOf } from './seen-child.ts';
export type { WorkloadFacts } from './workload-facts.ts';

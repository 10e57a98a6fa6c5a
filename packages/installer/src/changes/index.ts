export { applyChanges, type ApplyDeps } from './apply.ts';
export { planOf } from './plan-of.ts';
export type { ClusterChange, ClusterWrite } from './types.ts';

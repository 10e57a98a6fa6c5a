export { applyChanges, type ApplyDeps } from './apply.ts';
export { fieldManager } from './field-manager.ts';
export { isManaged, managed, managedSelector } from './managed.ts';
export { planOf } from './plan-of.ts';
export type { ClusterChange, ClusterWrite } from './types.ts';

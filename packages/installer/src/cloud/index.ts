export { applyCloud } from './apply/apply.ts';
export { openInventory, type InventoryEntry } from './inventory/index.ts';
export { lookAtCloud } from './look.ts';
export { planCloud } from './plan.ts';
export { cloudRights, type CloudRight } from './rights.ts';
export { cloudStatus } from './status.ts';
export {
  cloudTimeouts,
  type CloudArtifacts,
  type CloudDeps,
  type CloudOptions,
  type CloudPlan,
  type CloudResult,
  type CloudSeen,
  type CloudStatus,
  type CloudTimeouts,
  type CloudTunnel,
  type CloudUndoOptions,
  type CloudUndoPlan,
} from './types.ts';
export { planCloudUndo } from './undo/plan.ts';
export { managerUnit } from './unit/service.ts';
export { undoCloud } from './undo/undo.ts';

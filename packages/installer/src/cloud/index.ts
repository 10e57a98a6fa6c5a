export { applyCloud } from './apply/apply.ts';
export { needsTunnel } from './egress/api-server.ts';
export { egressConfigFile } from './egress/manifest.ts';
export { withoutJobs } from './egress/refuse.ts';
export { inventoryAt, openInventory, type InventoryEntry } from './inventory/index.ts';
export { tunnelService } from './external.ts';
export { lookAtCloud } from './look.ts';
export { phasesOn, undoMachine } from './machine/run.ts';
export { planCloud } from './plan.ts';
export { cloudRights } from './rights.ts';
export { cloudStatus } from './status.ts';
export { publishedCa } from './tunnel.ts';
export type {
  CloudArtifacts,
  CloudDeps,
  CloudOptions,
  CloudPlan,
  CloudResult,
  CloudSeen,
  CloudStatus,
  CloudTimeouts,
  CloudTunnel,
  CloudUndoOptions,
  CloudUndoPlan,
  CloudUndoSeen,
  TunnelStatus,
} from './types.ts';
export { lookAtCloudUndo } from './undo/look.ts';
export { planCloudUndo } from './undo/plan.ts';
export { undoCloud } from './undo/undo.ts';

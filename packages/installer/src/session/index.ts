export { type Remembered, recall, remember } from './before.ts';
export { convertCommand, joinCommand } from './commands.ts';
export { startOf } from './kubelet-start.ts';
export {
  type EnteringDeps,
  type MachineSession,
  type SessionDeps,
  withSession,
  withSessionOn,
} from './session.ts';
export { undoRun } from './undo.ts';
export { type Traces, type Untold, joinTraces, nodeTraces, refuseUntold, untoldOn } from './untold.ts';
export { type StepsWatch, watchSteps } from './watch-steps.ts';

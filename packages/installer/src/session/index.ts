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
export { type StepsWatch, watchSteps } from './watch-steps.ts';

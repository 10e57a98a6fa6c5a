export { revert } from './command.ts';
export { describeRevert } from './describe.ts';
export { type Home, type HomeDeps, type Remembered, recall, remember, withHome } from './home.ts';
export { startOf } from './kubelet.ts';
export { convertCommand } from './machine.ts';
export { type CloudUndo, type RevertEngineDeps, revertWith } from './revert.ts';
export { type TakeBackDeps, type TakenBack, takeBack } from './take-back.ts';
export {
  revertDefaults,
  type RevertDeps,
  type RevertOptions,
  type RevertOutcome,
  type RevertResult,
  type RevertedNode,
} from './types.ts';
export { type StepsWatch, watchSteps } from './watch.ts';

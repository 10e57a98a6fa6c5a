export { revert } from './command.ts';
export { describeRevert } from './describe.ts';
export type { CloudUndo, RevertEngineDeps } from './engine.ts';
export { revertWith } from './revert.ts';
export { type TakeBackDeps, type TakenBack, takeBack } from './take-back.ts';
export {
  revertDefaults,
  type RevertDeps,
  type RevertOptions,
  type RevertOutcome,
  type RevertResult,
  type RevertedNode,
} from './types.ts';

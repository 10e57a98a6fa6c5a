export type { Executor, Executors } from './executor.ts';
export { createExecutors } from './executors.ts';
export { applySteps, undoSteps, type RunDeps, type StepEvent } from './run.ts';
export type { Before, FileStep, Step } from './types.ts';

export { hashOf } from './before.ts';
export { noSources, type Executor, type ExecutorDeps, type Executors, type Sources } from './executor.ts';
export { stepTitle } from './describe.ts';
export { createExecutors } from './executors.ts';
export { changeText } from './text-changes.ts';
export type {
  ImagesStep,
  LiteBefore,
  LiteStep,
  PackagesStep,
  PodsStep,
  RulesStep,
  SecretStep,
  SysctlStep,
} from './lite-types.ts';
export { removablePackages } from './packages-step.ts';
export { applySteps, undoSteps, type RunDeps, type StepEvent } from './run.ts';
export { unitProperties } from './systemd.ts';
export type {
  Before,
  CopySource,
  CopyStep,
  EditStep,
  FileStep,
  LeftoverStep,
  Step,
  TextChange,
  UploadStep,
  UserStep,
} from './types.ts';

export { openArtifacts, type Architecture, type Artifact, type Artifacts } from './artifacts/index.ts';
export type { CommandContext, Plan, Progress } from './command/index.ts';
export { createHostFiles, type FileState, type HostFiles, type PathState } from './files/index.ts';
export {
  type ApiAccess,
  connectSshHost,
  createJobHosts,
  createLocalHost,
  createSudoHost,
  type Host,
  type HostCommand,
  type HostResult,
  type Hosts,
  type JobDeps,
  type JobOptions,
  type SshOptions,
  type SudoOptions,
} from './host/index.ts';
export {
  describeJoin,
  join,
  type JoinArtifacts,
  type JoinDeps,
  type JoinOptions,
  type JoinResult,
} from './join/index.ts';
export { openJournal, type Journal, type RunState } from './journal/index.ts';
export { describeReset, reset, type ResetDeps, type ResetOptions, type ResetResult } from './reset/index.ts';
export { applySteps, createExecutors, undoSteps, type Step, type StepEvent } from './steps/index.ts';

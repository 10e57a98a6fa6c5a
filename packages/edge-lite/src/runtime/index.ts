export type {
  CallTimeouts,
  ExecResult,
  ImageRecord,
  PullAuth,
  RuntimeCalls,
} from './calls.ts';
export type { DiskCalls, FileUseRecord } from './disk-calls.ts';
export type { RuntimeCondition, RuntimeHealth, RuntimeVersion } from './health.ts';
export { annotations, labels } from './labels.ts';
export { readTail } from './read-tail.ts';
export {
  latest,
  nothingOf,
  type ContainerRecord,
  type ContainerState,
  type PodObserved,
  type SandboxRecord,
} from './records.ts';
export type { RelistPace } from './relist.ts';
export { createRuntime, type Runtime, type RuntimeDeps, type RuntimeOptions } from './runtime.ts';
export type { StreamSelection, StreamingCalls } from './streaming-calls.ts';
export type { ReadTail } from './termination.ts';

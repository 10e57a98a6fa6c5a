export type {
  Lookup,
  ObjectRef,
  ObjectSource,
  PodEvent,
  PodEvents,
  PodRef,
  ServiceAccountToken,
  SourceObjects,
  SourceResource,
  StatusSink,
  TokenQuery,
  TokenSource,
} from './ports.ts';
export { createPodModule, type PodModuleDeps, type PodModuleOptions } from './module.ts';
export type { Pods } from './worker/index.ts';
export { clearPodCgroups, createPodCgroups, removeCgroup, type PodCgroups } from './cgroups/index.ts';
export { createLogRotator, createPodLogs, rotatedNames } from './logs/index.ts';
export { readMachine, type Machine, type MachineOptions } from './machine/index.ts';
export { createProber, type ProbeCount, type Prober } from './probes/index.ts';
export { podCgroup, qosCgroup, references, type NodeFacts } from './spec/index.ts';
export {
  createMounter,
  createVolumeManager,
  podFolder,
  removePodsFolder,
  type TokenStore,
  type VolumeManager,
} from './volumes/index.ts';

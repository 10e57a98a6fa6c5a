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

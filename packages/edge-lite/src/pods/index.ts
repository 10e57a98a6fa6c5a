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

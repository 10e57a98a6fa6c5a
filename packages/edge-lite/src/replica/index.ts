export { createPodEvents } from './events.ts';
export { createReplica, type Replica, type ReplicaDeps, type ReplicaOptions } from './replica.ts';
export {
  createStatusSink,
  type PodStatusSink,
  type StatusSinkDeps,
  type StatusSinkOptions,
} from './status-sink.ts';
export { createTokenSource } from './tokens.ts';

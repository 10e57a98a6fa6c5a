export { createPodEvents } from './events.ts';
export { createReplica, type Replica } from './replica.ts';
export { createStatusSink, type PodStatusSink } from './status-sink.ts';
export { createTokenSource } from './tokens.ts';

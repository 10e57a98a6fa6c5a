export { createPodEvents } from './events.ts';
export { createStatusSink, type PodStatusSink } from './status-sink.ts';
export { createTokenSource } from './tokens.ts';

export { Heartbeats } from './heartbeats.ts';
export { createWrites, type WritesDeps, type WritesOptions } from './writes.ts';

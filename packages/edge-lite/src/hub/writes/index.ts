export { createWrites, type WritesDeps, type WritesOptions } from './writes.ts';

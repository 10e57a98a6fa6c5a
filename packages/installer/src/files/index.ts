export { createHostFiles } from './host-files.ts';
export type { FileState, HostFiles, NewFile, Owner, PathState } from './types.ts';

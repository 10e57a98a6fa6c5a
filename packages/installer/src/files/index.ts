export { createHostFiles } from './host-files.ts';
export { fullDiskHint } from './run-script.ts';
export { readIfThere } from './read-if-there.ts';
export type {
  ComposedFile,
  FileState,
  HostFiles,
  LargeFile,
  NewFile,
  Owner,
  PathState,
  TreeState,
} from './types.ts';

export { createHostFiles } from './host-files.ts';
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

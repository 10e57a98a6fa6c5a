export { createHostFiles } from './host-files.ts';
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

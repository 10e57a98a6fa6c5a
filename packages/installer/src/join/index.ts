export { packagesIn, type ArchivesDeps } from './archives.ts';
export { describeJoin } from './describe.ts';
export { join } from './join.ts';
export { nodeNameIn } from './journalled.ts';
export {
  joinDefaults,
  type JoinArtifacts,
  type JoinClient,
  type JoinDeps,
  type JoinOptions,
  type JoinResult,
} from './types.ts';

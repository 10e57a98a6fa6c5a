export { type Assets, type Binary, allBinaries, binaries } from './binaries.ts';
export { type Cache, type CacheEntry, contentKey, createCache } from './cache.ts';
export { type Command, type CommandResult, run, runUnchecked } from './command.ts';
export { debianFiles } from './debian-files.ts';
export { recordedPackages, updatePackageLists } from './debian.ts';
export { lockFile } from './lock.ts';
export { runTool } from './tool.ts';
export { type Progress, type Step, createProgress, silentProgress } from './progress.ts';
export { type Setup, createSetup, ensureAssets, processSetup } from './setup.ts';

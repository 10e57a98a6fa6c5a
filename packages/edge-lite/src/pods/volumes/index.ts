export { podFolder } from './layout.ts';
export { createVolumeManager, type VolumeManagerDeps, type VolumeManagerOptions } from './manager.ts';
export { createMounter, type Mounter, type MounterOptions, type TmpfsOptions } from './mounter.ts';
export { removeFolder as removePodsFolder } from './remove.ts';
export type { MountsRequest, TokenStore, VolumeManager } from './types.ts';

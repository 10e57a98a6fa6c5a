export type { MountsRequest, TokenStore, VolumeManager } from './types.ts';

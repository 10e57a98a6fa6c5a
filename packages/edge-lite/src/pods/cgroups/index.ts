export type { PodCgroups } from './types.ts';

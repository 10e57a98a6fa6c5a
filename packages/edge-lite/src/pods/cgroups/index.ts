export { clearPodCgroups, type ClearCgroupsDeps } from './clear.ts';
export { removeCgroup, type RemoveCgroup } from './files.ts';
export { createPodCgroups, type PodCgroupsDeps, type PodCgroupsOptions } from './pod-cgroups.ts';
export type { PodCgroups } from './types.ts';

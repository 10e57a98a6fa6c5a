export { createJobHosts } from './hosts.ts';
export type { ApiAccess, JobDeps, JobOptions } from './options.ts';

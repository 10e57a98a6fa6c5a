export type { Hosts, Machine } from './hosts.ts';
export { type ApiAccess, createJobHosts, type JobDeps, type JobOptions } from './job/index.ts';
export { createLocalHost } from './local.ts';
export { type FailedProgram, programFailed, saidBy } from './program-failed.ts';
export { connectSshHost } from './ssh/host.ts';
export type { SshOptions } from './ssh/options.ts';
export { createSudoHost, type SudoOptions } from './sudo.ts';
export { type Argv, hostDefaults, type Host, type HostCommand, type HostResult } from './types.ts';

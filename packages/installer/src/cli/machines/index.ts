export {
  createHosts,
  createHostsIfAsked,
  jobOptionsOf,
  type HostsFlags,
  type MachinesDeps,
} from './hosts-of-flags.ts';

import type { Hosts } from '../hosts.ts';
import { openJobHost } from './host.ts';
import type { JobDeps, JobOptions } from './options.ts';

/** Machines by a Job on each: nothing but the API server has to be reached. */
export function createJobHosts(options: JobOptions, deps: JobDeps): Hosts {
  return { viaKubelet: true, open: ({ name }, signal) => openJobHost(name, { options, deps }, signal) };
}

import type { Host } from './types.ts';

/** A machine as the cluster knows it. */
export interface Machine {
  /** Of its Node. */
  readonly name: string;
  /** Where it can be reached, best first: what the person said, else the addresses of its Node. */
  readonly addresses: readonly string[];
}

/** The way to machines that a person chose: SSH, a Job on each, or this machine only. */
export interface Hosts {
  /** Machines are entered through their kubelets: where that is out of the cloud's reach, nobody enters. Default false. */
  readonly viaKubelet?: boolean;
  /** Programs run as root there. Throws `Unavailable`, and `Forbidden` if it may not be entered. Who opens it disposes of it. */
  open(machine: Machine, signal?: AbortSignal): Promise<Host>;
}

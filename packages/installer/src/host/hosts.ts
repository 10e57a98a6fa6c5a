import type { Host } from './types.ts';

/** A machine as the cluster knows it. */
export interface Machine {
  /** The name of its Node. */
  readonly name: string;
  /** Its addresses, best first: the one that the person gave, otherwise those of its Node. */
  readonly addresses: readonly string[];
}

/** The way to machines that a person chose: SSH, a Job on each, or this machine only. */
export interface Hosts {
  /** True if machines are accessed through their kubelets, which the cloud then must be able to reach. Default false. */
  readonly viaKubelet?: boolean;
  /**
   * Opens a session on a machine, in which programs run as root. Throws `Unavailable`, and `Forbidden` if access is denied. The
   * caller disposes of it.
   */
  open(machine: Machine, signal?: AbortSignal): Promise<Host>;
}

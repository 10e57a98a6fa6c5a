import type { Container, Pod } from '@selvedge/kube/types';

import type { ProbeVerdict } from '../plan/index.ts';

/** One running container whose probes are wanted. */
export interface ProbeTarget {
  readonly pod: Pod;
  readonly container: Container;
  /** The runtime's id, without its scheme. */
  readonly containerId: string;
  /**
   * The address that is probed, as it is now, unless the probe names a host; empty while there is none. The node's for
   * pods on the host's network.
   */
  readonly podIP: () => string;
  /** When the container started, in milliseconds since the epoch. */
  readonly startedAtMs: number;
  /** Its startup probe has succeeded already, before this process was there. Default false. */
  readonly started?: boolean;
}

/** How many probes of one kind of one container have gone so, since it was started. */
export interface ProbeCount {
  readonly namespace: string;
  readonly pod: string;
  readonly podUid: string;
  readonly container: string;
  readonly probe: 'startup' | 'readiness' | 'liveness';
  /** `unknown`: it could not be run. */
  readonly result: 'success' | 'failure' | 'unknown';
  readonly count: number;
}

/** Runs the probes of running containers. */
export interface Prober {
  /** Probes until disposed. A container id that is watched already stays as it is; each caller disposes its own. */
  watch(target: ProbeTarget): Disposable;
  /** What is known of a container that is being watched. */
  results(containerId: string): ProbeVerdict;
  /** Of all containers that are being watched; each kind and result of a container once. */
  counts(): readonly ProbeCount[];
  /** Calls back with the pod's uid when a result of one of its containers changed. */
  subscribe(changed: (podUid: string) => void): Disposable;
  /** The pod ends: only its readiness is still probed. */
  quiet(podUid: string): void;
  /** Ends all probes and waits for those under way. */
  stop(): Promise<void>;
}

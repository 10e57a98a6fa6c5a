import type { Pod } from '@selvedge/kube/types';

import type { CrashBackoff } from './backoff.ts';

/** Where a pod shall get to on this node. */
export type Goal =
  | { readonly kind: 'run' }
  /** Nothing runs while the machine is down; afterwards it goes on. */
  | { readonly kind: 'halt'; readonly ending: Ending }
  /** Nothing runs, no volume is left; what ended is kept for its status and logs. */
  | { readonly kind: 'stop'; readonly ending: Ending }
  /** No trace is left. */
  | { readonly kind: 'remove'; readonly ending: Ending };

export interface Ending {
  /** How long it has lasted, in milliseconds. */
  readonly spentMs: number;
  /** How long containers get. Absent: what each was made with. */
  readonly graceSeconds: number | undefined;
}

export interface ProbeVerdict {
  /** Absent: no such probe, or no verdict yet. */
  readonly startup?: boolean;
  readonly readiness?: boolean;
  readonly liveness?: boolean;
}

/** What is wanted of one pod, and what this node remembers of it. */
export interface PodDesired {
  readonly pod: Pod;
  readonly goal: Goal;
  /** `ready` and `gone` as this process has seen to it; `unknown` before. */
  readonly volumes: 'unknown' | 'ready' | 'gone';
  /** Whether the runtime can give a pod its network. */
  readonly networkReady: boolean;
  /** By container id. */
  readonly verdicts: ReadonlyMap<string, ProbeVerdict>;
  /** By container name. */
  readonly crashes: ReadonlyMap<string, CrashBackoff>;
  /** The restart count of the next instance of a container of which the runtime holds none, by name. Absent: 0. */
  readonly nextRestart: ReadonlyMap<string, number>;
  /** The wanted hash of each container, by name. */
  readonly hashes: ReadonlyMap<string, string>;
  /** Containers that were killed to be started again, by id. */
  readonly owedRestarts: ReadonlySet<string>;
  /** Sandboxes that this process has stopped already. */
  readonly stoppedSandboxes: ReadonlySet<string>;
}

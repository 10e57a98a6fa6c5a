import type { Pod, PodStatus } from '@selvedge/kube/types';

import type { PodObserved } from '../../runtime/index.ts';
import type { ProbeVerdict } from '../plan/index.ts';

/** Why a container does not run although it shall. */
export interface Waiting {
  /** `ErrImagePull`, `CrashLoopBackOff`, `CreateContainerConfigError`, … */
  readonly reason: string;
  readonly message: string;
}

/** A pod's end that its containers do not explain: a refusal, a deadline, a shutdown. */
export interface Verdict {
  readonly reason: string;
  readonly message: string;
  /** Adds the condition `DisruptionTarget`: the pod did nothing wrong. */
  readonly disruption?: { readonly reason: string; readonly message: string };
}

export interface StatusInput {
  readonly pod: Pod;
  readonly observed: PodObserved;
  /** The last status reported, also before a restart; else what the API holds. */
  readonly previous: PodStatus | undefined;
  /** By container name. */
  readonly waiting: ReadonlyMap<string, Waiting>;
  /** By container id. */
  readonly verdicts: ReadonlyMap<string, ProbeVerdict>;
  /** Nothing of it runs, and nothing will. */
  readonly ended: boolean;
  /** It ends for a reason of its own. */
  readonly verdict: Verdict | undefined;
  readonly hostIPs: readonly string[];
  readonly qosClass: string;
  /** Scheme of container ids: `containerd`. */
  readonly runtimeName: string;
  readonly nowMs: number;
}

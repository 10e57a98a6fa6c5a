import type { Pod } from '@selvedge/kube/types';

/** The cgroups of pods and QoS classes. With the systemd driver the runtime makes them and these calls do nothing. */
export interface PodCgroups {
  /** Makes the QoS classes' cgroups. Rejects with `Unavailable` when the hierarchies are not there. */
  start(signal: AbortSignal): Promise<void>;
  /** Makes the pod's cgroup and sets its limits. Idempotent. */
  ensure(pod: Pod, signal: AbortSignal): Promise<void>;
  /** Removes the pod's cgroup once nothing runs in it; rejects with `Unavailable` while something does. Idempotent. */
  remove(podUid: string, signal: AbortSignal): Promise<void>;
  /** Uids of the pods that have a cgroup. */
  uids(signal: AbortSignal): Promise<readonly string[]>;
}

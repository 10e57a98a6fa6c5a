/** What the runtime holds, as plain immutable records. Times are milliseconds since the epoch. */

export interface SandboxRecord {
  readonly id: string;
  /** Starts at 0, one more for each sandbox that had to be made anew. */
  readonly attempt: number;
  readonly createdAtMs: number;
  readonly state: 'ready' | 'not-ready';
  readonly hostNetwork: boolean;
  /** Empty with the host's network, and when the sandbox is not ready. */
  readonly ips: readonly string[];
}

export type ContainerState =
  | { readonly kind: 'created' }
  | { readonly kind: 'running'; readonly startedAtMs: number }
  | {
      readonly kind: 'exited';
      readonly startedAtMs: number;
      readonly finishedAtMs: number;
      readonly exitCode: number;
      /** One CamelCase word: `Completed`, `Error`, `OOMKilled`, `StartError`. */
      readonly reason: string;
      /** The runtime's message and the termination message, as the kubelet joins them. */
      readonly message: string;
    }
  /** The runtime itself does not know. */
  | { readonly kind: 'unknown' };

export interface ContainerRecord {
  readonly id: string;
  readonly sandboxId: string;
  /** The container's name in the pod. */
  readonly name: string;
  readonly createdAtMs: number;
  readonly state: ContainerState;
  /** The image as the runtime names it, its reference by digest, and its id. */
  readonly image: string;
  readonly imageRef: string;
  readonly imageId: string;
  /** Of the part of the spec that needs a restart to change; empty if it was not made by a kubelet. */
  readonly hash: string;
  readonly restartCount: number;
  readonly logPath: string;
  readonly user:
    | { readonly uid: number; readonly gid: number; readonly groups: readonly number[] }
    | undefined;
  /** How long it may take to stop, in seconds, as it was known when it was made. */
  readonly graceSeconds: number | undefined;
}

/** All that the runtime holds of one pod; sandboxes and containers newest first. */
export interface PodObserved {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  readonly sandboxes: readonly SandboxRecord[];
  readonly containers: readonly ContainerRecord[];
}

/** The container's last instance. */
export function latest(observed: PodObserved, name: string): ContainerRecord | undefined {
  return observed.containers.find((container) => container.name === name);
}

/** A pod of which the runtime holds nothing. */
export function nothingOf(pod: Pick<PodObserved, 'uid' | 'namespace' | 'name'>): PodObserved {
  return { uid: pod.uid, namespace: pod.namespace, name: pod.name, sandboxes: [], containers: [] };
}

import type { ContainerConfig } from '@selvedge/containerd-grpc-types';
import type { Container, Pod, Secret } from '@selvedge/kube/types';

import type { ImageRecord } from '../../runtime/index.ts';
import type { SandboxPlan } from '../spec/index.ts';

export interface ContainerRequest {
  readonly pod: Pod;
  readonly container: Container;
  readonly restartCount: number;
  /** The pod's own, or the node's with the host's network. */
  readonly podIPs: readonly string[];
  readonly image: { readonly ref: string; readonly record: ImageRecord };
}

/** Makes what the runtime is asked for out of what the API says. */
export interface PodBuilder {
  /** Throws the kubelet's words for `FailedCreatePodSandBox`. */
  sandbox(pod: Pod, attempt: number): SandboxPlan;
  /**
   * Rejects with the kubelet's words for `CreateContainerConfigError`; with `Unavailable` when an object that is needed
   * is not known yet.
   */
  containerConfig(request: ContainerRequest, signal: AbortSignal): Promise<ContainerConfig>;
  /** The pod's pull secrets, as far as they exist. */
  pullSecrets(pod: Pod): readonly Secret[];
}

/** The log of one container. */
export interface LogOf {
  readonly pod: Pod;
  readonly container: string;
  readonly id: string;
  readonly path: string;
}

/** The log files of pods. */
export interface PodLogs {
  /** Makes the folders of a pod's logs. */
  prepare(pod: Pod): Promise<void>;
  /** Links a started container's log from where collectors look for it. */
  link(of: LogOf): Promise<void>;
  /** Removes the log, those rotated from it, and the link to it, of a container that was removed. */
  removeContainer(of: LogOf): Promise<void>;
  /** Removes all logs of a pod. */
  removePod(uid: string): Promise<void>;
  /** Uids of all pods that have logs. */
  uids(): Promise<readonly string[]>;
}

export interface HookTarget {
  readonly pod: Pod;
  readonly container: Container;
  readonly containerId: string;
  readonly podIP: string;
}

/** Runs a container's lifecycle hooks. Source: https://kubernetes.io/docs/concepts/containers/container-lifecycle-hooks/ */
export interface Hooks {
  /** Resolves at once if there is no such hook; rejects with what went wrong. */
  postStart(target: HookTarget, signal: AbortSignal): Promise<void>;
  preStop(target: HookTarget, signal: AbortSignal): Promise<void>;
}

import type { Clock, Random } from '@selvedge/kit';
import type { CredentialSource, KubeClient } from '@selvedge/kube';

/** The Job that gives access to a node. */
export interface JobOptions {
  /** The image, with `sh`, `sleep`, `head` and `nsenter`: `selvedge.io/node-shell`, which is part of a release. */
  readonly image: string;
  /** The namespace of the Job; it must admit privileged pods. Default `kube-system`. */
  readonly namespace?: string;
  /** The lifetime of a Job that is not removed, in seconds. Default 7,200. */
  readonly maxSeconds?: number;
  /** The time limit for its container to start, in milliseconds. Default 120,000. */
  readonly startTimeoutMs?: number;
  /** How long the way to the container is tried again, while a kubelet restarts for instance. Default 45,000. */
  readonly dialTimeoutMs?: number;
}

/** The API server as a kubeconfig names it: `exec` wants a connection of its own for each program. */
export interface ApiAccess {
  /** `https://host:port`. */
  readonly server: string;
  /** The name that its certificate must carry, if it is not the URL's host. */
  readonly serverName?: string | undefined;
  readonly credentials: CredentialSource;
}

/** What access by Jobs works with. */
export interface JobDeps {
  readonly cluster: Pick<KubeClient, 'create' | 'delete' | 'list'>;
  readonly api: ApiAccess;
  readonly clock: Clock;
  readonly random: Random;
  /** Called with what could not be removed, and the command that removes it. */
  readonly onNote: (text: string) => void;
}

/** Defaults of `JobOptions`. */
export const jobDefaults = {
  namespace: 'kube-system',
  maxSeconds: 7_200,
  startTimeoutMs: 120_000,
  dialTimeoutMs: 45_000,
  /** Programs that run at a time; others wait. Each takes the kubelet and the node most of a second of a processor. */
  maxPrograms: 8,
  /** How long the end of a pod, or of a program that was told to end, is waited for. */
  endTimeoutMs: 20_000,
} as const;

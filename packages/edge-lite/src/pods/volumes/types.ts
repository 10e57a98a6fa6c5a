import type { KeyValue, Mount } from '@selvedge/containerd-grpc-types';
import type { Service } from '@selvedge/kit';
import type { Container, Pod } from '@selvedge/kube/types';

import type { ServiceAccountToken, TokenQuery } from '../ports.ts';

/** Where the last token of each (pod, account, audience) is kept across restarts, sealed. */
export interface TokenStore {
  get(query: TokenQuery): ServiceAccountToken | undefined;
  put(query: TokenQuery, token: ServiceAccountToken): void;
  /** Forgets all tokens of a pod. */
  forget(podUid: string): void;
}

export interface MountsRequest {
  readonly pod: Pod;
  readonly container: Container;
  /** For `/etc/hosts`. Empty with the host's network. */
  readonly podIPs: readonly string[];
  /** The container's resolved environment, for `subPathExpr`. */
  readonly env: readonly KeyValue[];
}

/**
 * The volumes of this node's pods. What was prepared is kept up to date (config maps, secrets, downward API, tokens)
 * until it is removed or the service stops; stopping leaves the volumes as they are.
 */
export interface VolumeManager extends Service {
  /**
   * Makes the pod's volumes, or takes note of those that are there already. Idempotent. Rejects with the kubelet's words
   * for `FailedMount`: `NotFound` (object or key missing), `Unavailable` (not known yet, or a token cannot be had now),
   * `Invalid`, `Unsupported`; worth trying again after a change of what the pod refers to, or later.
   */
  prepare(pod: Pod, signal: AbortSignal): Promise<void>;
  /**
   * The mounts of one container about to be created: volumes, `/etc/hosts`, termination message. The pod's volumes are
   * prepared. Rejects with the kubelet's words for `CreateContainerConfigError`.
   */
  mounts(request: MountsRequest, signal: AbortSignal): Promise<readonly Mount[]>;
  /** Unmounts and deletes all that the pod has on disk; never follows a mount or a link out of it. Idempotent. */
  remove(podUid: string, signal: AbortSignal): Promise<void>;
  /** Uids of all pods that have something on disk. */
  onDisk(signal: AbortSignal): Promise<readonly string[]>;
}

import { autonomyAnnotations } from '@selvedge/api';
import { type Patch, mergePatch, microTime } from '@selvedge/kube';
import type { Lease } from '@selvedge/kube/types';

export const heldAnnotation = autonomyAnnotations.heldRenewTime;

/** Where kubelets keep the Leases of their nodes. Source: kubernetes.io "Leases", node heartbeats. */
export const nodeLeaseNamespace = 'kube-node-lease';

/**
 * Whether the last renewal is ours. The node's next one keeps the annotation, for kubelets keep what they do not know, but
 * not the time in it; so nothing of ours hides it. A node that writes the annotation disowns its own renewal, no more.
 */
export const isHeldLease = ({ metadata, spec }: Lease): boolean =>
  spec?.renewTime !== undefined && metadata.annotations?.[heldAnnotation] === spec.renewTime;

/** Slower than any clock that a node may have, so that its own next renewal is later than ours. */
const pace = 0.99;

/**
 * The renewal that follows: later than the last one, or it would not count, and carried on from there by our own
 * monotonic time, a little slowly. The wall clock of the cloud is not used: were ours ahead of the node's, the node-lifecycle
 * controller would not take the node's own renewals until its clock has caught up. `elapsedMs`: since the last renewal
 * was seen. Pure.
 */
export function followingRenewTime(lastRenewTime: string, elapsedMs: number): string {
  const last = Date.parse(lastRenewTime);
  return microTime((Number.isNaN(last) ? 0 : last) + 1 + Math.max(0, Math.floor(elapsedMs * pace)));
}

/** Renews it, if it is still the one that was seen: a renewal by the node in between is a `Conflict`. Pure. */
export function holdingPatch({ metadata, spec }: Lease, elapsedMs: number): Patch {
  const renewTime = followingRenewTime(spec?.renewTime ?? '', elapsedMs);
  const { resourceVersion, uid } = metadata;
  return mergePatch({
    metadata: { resourceVersion, uid, annotations: { [heldAnnotation]: renewTime } },
    spec: { renewTime },
  });
}

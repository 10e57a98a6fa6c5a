import { isDeepStrictEqual } from 'node:util';
import type { Lease } from '@selvedge/kube/types';

const namespace = 'kube-node-lease';
/** The kubelet's default, for a Lease that does not say. */
const defaultDurationSeconds = 40;

export const leaseNamespace = namespace;

/** The Lease as the node's own kubelet sees it. */
export interface LocalLease {
  readonly lease: Lease;
  /** Of the local order: rises with each write. */
  readonly version: bigint;
  /** When the kubelet wrote it last, by the monotonic clock. Undefined: it has only been read. */
  readonly renewedMs: number | undefined;
}

function durationMsOf({ spec }: Lease): number {
  return (spec?.leaseDurationSeconds ?? defaultDurationSeconds) * 1_000;
}

/** How long upstream may hear nothing of a Lease: a little less than half of its duration. */
export const renewalIntervalMs = (lease: Lease): number => durationMsOf(lease) * 0.4875;

/** Whether the kubelet that writes it lives, as far as the Lease can tell. */
export function isAlive({ lease, renewedMs }: LocalLease, nowMs: number): boolean {
  return renewedMs !== undefined && nowMs - renewedMs <= durationMsOf(lease);
}

export function shownLease({ lease, version }: LocalLease): Lease {
  return { ...lease, metadata: { ...lease.metadata, resourceVersion: String(version) } };
}

/**
 * The merge patch that brings what upstream has to what the kubelet wrote: mostly the time alone. Undefined when there is
 * nothing to tell.
 */
export function renewalPatch(sent: Lease, wanted: Lease): object | undefined {
  const before: Readonly<Record<string, unknown>> = { ...sent.spec };
  const spec = Object.fromEntries(
    Object.entries(wanted.spec ?? {}).filter(([field, value]) => !isDeepStrictEqual(before[field], value)),
  );
  const owners = wanted.metadata.ownerReferences ?? [];
  const owned = owners.length === 0 || isDeepStrictEqual(sent.metadata.ownerReferences, owners);
  const patch = {
    ...(owned ? {} : { metadata: { ownerReferences: owners } }),
    ...(Object.keys(spec).length === 0 ? {} : { spec }),
  };
  return Object.keys(patch).length === 0 ? undefined : patch;
}

/**
 * The merge patch that says all that the kubelet wants, whatever upstream has. It also clears who manages which field:
 * that would be most of each answer, and says of a Lease what its holder says. Source: kubernetes.io "Server-Side
 * Apply", clearing managedFields; once cleared, updates do not bring them back.
 */
export function completePatch({ metadata: { ownerReferences = [] }, spec = {} }: Lease): object {
  const owners = ownerReferences.length === 0 ? {} : { ownerReferences };
  return { metadata: { managedFields: [{}], ...owners }, spec };
}

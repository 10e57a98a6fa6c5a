import type { Lease } from '@selvedge/kube/types';
import { type LocalLease, isAlive, renewalPatch } from './local-lease.ts';

/** What the kubelet sees of its Lease and what upstream holds of it. */
export class LeaseMemory {
  local: LocalLease | undefined;
  /** What upstream holds, as far as we know. */
  sent: Lease | undefined;

  forget(): void {
    this.local = undefined;
    this.sent = undefined;
  }

  /** What is to be told upstream; nothing while the kubelet is silent. */
  wanted(nowMs: number): object | undefined {
    if (this.local === undefined || !isAlive(this.local, nowMs)) return undefined;
    return renewalPatch(this.sent ?? { metadata: {} }, this.local.lease);
  }
}

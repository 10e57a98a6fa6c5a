import type { Lease } from '@selvedge/kube/types';
import { type LocalLease, completePatch, isAlive, renewalPatch } from './local-lease.ts';

/** What is to be told upstream. */
export interface Renewal {
  readonly patch: object;
  /** What upstream holds then. */
  readonly lease: Lease;
  /** It says all, not only what is new. */
  readonly complete: boolean;
}

/** Somebody else may have changed what is not said each time. */
const completeEveryMs = 10 * 60_000;

/** What the kubelet sees of its Lease and what upstream holds of it. */
export class LeaseMemory {
  local: LocalLease | undefined;
  /** What upstream was told last. Undefined: it may hold something else. */
  #sent: Lease | undefined;
  #completeMs = -Infinity;

  forget(): void {
    this.local = undefined;
    this.doubt();
  }

  /** The next renewal says all. */
  doubt(): void {
    this.#sent = undefined;
  }

  /** What is to be told upstream; nothing while the kubelet is silent. */
  wanted(nowMs: number): Renewal | undefined {
    if (this.local === undefined || !isAlive(this.local, nowMs)) return undefined;
    const { lease } = this.local;
    const patch = this.#sent === undefined ? {} : renewalPatch(this.#sent, lease);
    if (patch === undefined) return undefined;
    const complete = this.#sent === undefined || nowMs - this.#completeMs >= completeEveryMs;
    return { patch: complete ? completePatch(lease) : patch, lease, complete };
  }

  told({ lease, complete }: Renewal, nowMs: number): void {
    this.#sent = lease;
    if (complete) this.#completeMs = nowMs;
  }
}

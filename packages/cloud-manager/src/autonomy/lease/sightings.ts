import type { Clock } from '@selvedge/kit';
import type { StoreChange } from '@selvedge/kube';
import type { Lease } from '@selvedge/kube/types';
import { isHeldLease } from './held-lease.ts';

interface Sighting {
  /** When the last renewal of anybody was seen, in monotonic milliseconds. */
  readonly renewedMs: number;
  /** The same of the node's own ones; undefined: none since it was given up or the manager started. */
  readonly ownMs: number | undefined;
  /** That one was not seen, only taken for granted. */
  readonly isAssumed: boolean;
}

/**
 * When nodes renewed their Leases, by the clock of whoever looks: that a renewal came is observed, what time it says is
 * not believed. While Leases are not followed no node grows older, for it is not the nodes that are silent.
 */
export class Sightings {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #seen = new Map<string, Sighting>();
  /** Since when changes come without a break. */
  #followedSinceMs: number | undefined;

  constructor(clock: Pick<Clock, 'monotonicMs'>) {
    this.#clock = clock;
  }

  /** True if that was the node's own renewal. */
  see(change: StoreChange<Lease>): boolean {
    const { name = '' } = change.object.metadata;
    if (change.kind === 'deleted') return false;
    const before = change.kind === 'updated' ? change.previous.spec?.renewTime : undefined;
    const known = this.#seen.get(name);
    if (change.object.spec?.renewTime === before) return false;
    const renewedMs = this.#clock.monotonicMs();
    // The first one seen was made at any time before.
    const isOwn = change.kind === 'updated' && !isHeldLease(change.object);
    const last = known ?? { ownMs: undefined, isAssumed: false };
    this.#seen.set(name, isOwn ? { renewedMs, ownMs: renewedMs, isAssumed: false } : { ...last, renewedMs });
    return isOwn;
  }

  follow(isFollowing: boolean): void {
    if (!isFollowing) this.#followedSinceMs = undefined;
    else this.#followedSinceMs ??= this.#clock.monotonicMs();
  }

  get isFollowing(): boolean {
    return this.#followedSinceMs !== undefined;
  }

  /** As if the node had renewed now: there is no sign to the contrary yet. */
  assume(node: string): void {
    const now = this.#clock.monotonicMs();
    const renewedMs = this.#seen.get(node)?.renewedMs ?? now;
    this.#seen.set(node, { renewedMs, ownMs: now, isAssumed: true });
  }

  /** Whether no renewal of its own was seen yet, and one is taken for granted. */
  isAssumed(node: string): boolean {
    return this.#seen.get(node)?.isAssumed === true;
  }

  /** The node is cut: only a renewal that comes from now on shows that it is back. */
  giveUp(node: string): void {
    const known = this.#seen.get(node);
    if (known !== undefined) this.#seen.set(node, { ...known, ownMs: undefined, isAssumed: false });
  }

  forget(node: string): void {
    this.#seen.delete(node);
  }

  /** How long the node's own renewal is ago, as far as it could have been seen; Infinity: there was none. */
  silentMs(node: string): number {
    const ownMs = this.#seen.get(node)?.ownMs;
    if (ownMs === undefined) return Number.POSITIVE_INFINITY;
    return Math.max(
      0,
      this.#clock.monotonicMs() - Math.max(ownMs, this.#followedSinceMs ?? Number.POSITIVE_INFINITY),
    );
  }

  /** Since the last renewal of anybody was seen. */
  elapsedMs(node: string): number {
    const now = this.#clock.monotonicMs();
    return now - (this.#seen.get(node)?.renewedMs ?? now);
  }
}

import { hasCode, type Clock } from '@selvedge/kit';
import type { KubeClient } from '../client.ts';
import type { Lease, LeaseSpec } from '../gen/types.ts';
import { microTime } from '../micro-time.ts';
import type { ObjectRef } from '../object.ts';
import { resources } from '../resources.ts';

export interface LockOptions {
  readonly lease: ObjectRef;
  readonly identity: string;
  readonly leaseDurationMs: number;
}

export interface LockDeps {
  readonly client: Pick<KubeClient, 'get' | 'create' | 'replace'>;
  readonly clock: Pick<Clock, 'now' | 'monotonicMs'>;
}

/** The Lease once `identity` holds it; another holder before it makes a transition. Pure. */
function claimed(
  spec: LeaseSpec | undefined,
  { identity, leaseDurationMs }: Pick<LockOptions, 'identity' | 'leaseDurationMs'>,
  nowMs: number,
): LeaseSpec {
  const now = microTime(nowMs);
  const mine = spec?.holderIdentity === identity;
  const transitions = spec?.leaseTransitions ?? 0;
  return {
    ...spec,
    holderIdentity: identity,
    leaseDurationSeconds: Math.ceil(leaseDurationMs / 1_000),
    acquireTime: mine ? (spec.acquireTime ?? now) : now,
    renewTime: now,
    leaseTransitions: mine || spec === undefined ? transitions : transitions + 1,
  };
}

/** The Lease that anybody may take at once. Pure. */
function released(spec: LeaseSpec | undefined, nowMs: number): LeaseSpec {
  const now = microTime(nowMs);
  return {
    ...spec,
    holderIdentity: undefined,
    leaseDurationSeconds: 1,
    acquireTime: now,
    renewTime: now,
  };
}

/**
 * A Lease as one candidate sees it. Whether another's claim still stands is told by how long ago, on this machine's
 * monotonic clock, the Lease was last seen to change: the times inside it are of other clocks.
 */
export class LeaseLock {
  readonly #options: LockOptions;
  readonly #deps: LockDeps;
  #lease: Lease | undefined;
  #seen: { readonly content: string; readonly atMs: number } | undefined;

  constructor(options: LockOptions, deps: LockDeps) {
    this.#options = options;
    this.#deps = deps;
  }

  /** Who held it when it was last seen; undefined: nobody. */
  get holder(): string | undefined {
    const holder = this.#lease?.spec?.holderIdentity;
    return holder === '' ? undefined : holder;
  }

  /** Takes the Lease if it is free or expired, or renews it. False: it is another's. Rejects when the API does. */
  async claim(signal: AbortSignal): Promise<boolean> {
    // The version at hand is nearly always the current one, which saves the read.
    if (this.holder === this.#options.identity && (await this.#write(this.#next(), signal))) return true;
    if (!(await this.#read(signal))) return this.#create(signal);
    return !this.#isAnothers() && this.#write(this.#next(), signal);
  }

  /** Gives it up, if it is still held. */
  async release(signal: AbortSignal): Promise<void> {
    if (this.holder !== this.#options.identity) return;
    await this.#write(released(this.#lease?.spec, this.#deps.clock.now()), signal);
  }

  #next(): LeaseSpec {
    return claimed(this.#lease?.spec, this.#options, this.#deps.clock.now());
  }

  #isAnothers(): boolean {
    if (this.holder === undefined || this.holder === this.#options.identity) return false;
    const durationMs = (this.#lease?.spec?.leaseDurationSeconds ?? 0) * 1_000;
    return this.#deps.clock.monotonicMs() - (this.#seen?.atMs ?? 0) < durationMs;
  }

  async #read(signal: AbortSignal): Promise<boolean> {
    try {
      this.#see(await this.#deps.client.get(resources.leases, this.#options.lease, { signal }));
      return true;
    } catch (error) {
      if (!hasCode(error, 'NotFound')) throw error;
      this.#lease = undefined;
      return false;
    }
  }

  async #create(signal: AbortSignal): Promise<boolean> {
    const lease = { metadata: this.#options.lease, spec: this.#next() };
    try {
      this.#see(await this.#deps.client.create(resources.leases, lease, { signal }));
      return true;
    } catch (error) {
      if (hasCode(error, 'AlreadyExists')) return false;
      throw error;
    }
  }

  /** False if somebody else wrote it, or it is gone. */
  async #write(spec: LeaseSpec, signal: AbortSignal): Promise<boolean> {
    const { metadata = this.#options.lease } = this.#lease ?? {};
    try {
      this.#see(await this.#deps.client.replace(resources.leases, { metadata, spec }, { signal }));
      return true;
    } catch (error) {
      if (hasCode(error, 'Conflict', 'NotFound')) return false;
      throw error;
    }
  }

  #see(lease: Lease): void {
    this.#lease = lease;
    const content = JSON.stringify(lease.spec ?? {});
    if (this.#seen?.content !== content) this.#seen = { content, atMs: this.#deps.clock.monotonicMs() };
  }
}

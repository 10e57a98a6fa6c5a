import { type Clock, type Counter, type Logger, type Random, hasCode, jittered } from '@selvedge/kit';
import {
  type Controller,
  type KubeClient,
  type KubeMetrics,
  type ObjectReader,
  type ReconcileResult,
  createController,
  resources,
} from '@selvedge/kube';
import type { Lease } from '@selvedge/kube/types';
import type { EdgeNodeObject } from '../edge-nodes/index.ts';
import { isHeld } from './fate/index.ts';
import type { Judge, Look } from './judge.ts';
import { type Sightings, holdingPatch, isHeldLease, nodeLeaseNamespace } from './lease/index.ts';
import type { Times } from './options.ts';

export interface HoldingDeps {
  readonly client: Pick<KubeClient, 'get' | 'patch'>;
  readonly judge: Judge;
  readonly sightings: Sightings;
  readonly leases: ObjectReader<Lease>;
  readonly edgeNodes: ObjectReader<EdgeNodeObject>;
  /** Whether all pods of the node tolerate what they do without us. */
  readonly isReleased: (node: string) => boolean;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly kubeMetrics: KubeMetrics;
  /** `outcome`: `renewed`, `overtaken`, `failed`. */
  readonly renewals: Counter;
}

/** As many as the stores hold. */
const maxKeys = 100_000;
/** Leases that are written at a time. As many as are held are renewed in each interval; more at once would help nobody. */
const workers = 16;
const notReadyMs = 1_000;
const timeoutMs = 5_000;
const manager = 'selvedge-cloud-manager';

class Holder {
  readonly #times: Times;
  readonly #deps: HoldingDeps;
  /** When Leases are due, those that are held. */
  readonly #dueMs = new Map<string, number>();

  constructor(times: Times, deps: HoldingDeps) {
    this.#times = times;
    this.#deps = deps;
  }

  async reconcile(node: string, signal: AbortSignal): Promise<ReconcileResult | undefined> {
    const { judge, sightings } = this.#deps;
    const look = judge.look(node);
    if (look === undefined) {
      this.#dueMs.delete(node);
      sightings.forget(node);
      return undefined;
    }
    const lease = this.#deps.leases.get(`${nodeLeaseNamespace}/${node}`);
    if (lease === undefined) return undefined;
    // While Leases are not followed nobody is judged; who is held stays so.
    if (sightings.isFollowing && !(await this.#moved(node, { look, lease }, signal)))
      return { againAfterMs: notReadyMs };
    if (!this.#wantsHold(node, look, lease)) {
      this.#dueMs.delete(node);
      return { againAfterMs: this.#leftMs(look) };
    }
    await this.#hold(node, lease, signal);
    return { againAfterMs: Math.max(0, (this.#dueMs.get(node) ?? 0) - this.#deps.clock.monotonicMs()) };
  }

  /** False if what is seen of the Lease is not what is. Before a node is given up the API server is asked itself. */
  async #moved(
    node: string,
    { look, lease }: { readonly look: Look; readonly lease: Lease },
    signal: AbortSignal,
  ): Promise<boolean> {
    const { judge, client } = this.#deps;
    if (look.fate.kind === 'Connected' && look.next.kind !== 'Connected') {
      const at = { namespace: nodeLeaseNamespace, name: node };
      const { spec } = await client.get(resources.leases, at, { timeoutMs, signal });
      if (spec?.renewTime !== lease.spec?.renewTime) return false;
    }
    judge.move(node, look.next);
    return true;
  }

  #wantsHold(node: string, { policy, silentMs, isAccused }: Look, lease: Lease): boolean {
    const { judge, isReleased, clock } = this.#deps;
    const fate = judge.fate(node);
    if (fate === undefined) return false;
    if (isHeld(fate)) return true;
    if (fate.kind === 'Connected') {
      // Where the last renewal is ours the node was late, and has not renewed since: whoever looks goes on.
      const isLate = silentMs >= this.#times.lateMs || isHeldLease(lease) || this.#mayBeLate(node, lease);
      return isLate && policy.kind !== 'off' && !isAccused;
    }
    return !isReleased(node) && clock.now() - fate.since < this.#times.releaseMs;
  }

  /**
   * Of a node that this leader has not heard of yet nobody knows for how long it has been silent: its clock, which is
   * believed in nothing else, is reason enough for a renewal that does no harm.
   */
  #mayBeLate(node: string, { spec }: Lease): boolean {
    const { sightings, clock } = this.#deps;
    const ageMs = clock.now() - Date.parse(spec?.renewTime ?? '');
    return sightings.isAssumed(node) && ageMs >= this.#times.lateMs;
  }

  async #hold(node: string, lease: Lease, signal: AbortSignal): Promise<void> {
    const { client, clock, random, renewals, sightings } = this.#deps;
    const now = clock.monotonicMs();
    if ((this.#dueMs.get(node) ?? now) > now) return;
    const at = { namespace: nodeLeaseNamespace, name: node };
    const patch = holdingPatch(lease, sightings.elapsedMs(node));
    try {
      await client.patch(resources.leases, at, { patch, fieldManager: manager, timeoutMs, signal });
      this.#dueMs.set(node, now + jittered(this.#times.renewMs, random));
      renewals.add({ outcome: 'renewed' });
    } catch (error) {
      signal.throwIfAborted();
      renewals.add({ outcome: hasCode(error, 'Conflict') ? 'overtaken' : 'failed' });
      throw error;
    }
  }

  /** Until something may be to be done, though nothing changes. */
  #leftMs({ silentMs }: Look): number {
    const { lateMs, renewMs } = this.#times;
    return silentMs < lateMs ? lateMs - silentMs + 1 : renewMs;
  }
}

/** Judges nodes, and renews the Leases of those that are to be held, in time. What it reads is in sync when it starts. */
export function createHolding(times: Times, deps: HoldingDeps): Controller {
  const { edgeNodes, clock, random, log, kubeMetrics: metrics } = deps;
  const holder = new Holder(times, deps);
  return createController(
    {
      name: 'autonomy-leases',
      workers,
      maxKeys,
      resyncMs: 60_000,
      backoff: { initialMs: 200, maxMs: times.renewMs },
    },
    {
      reconcile: (node, signal) => holder.reconcile(node, signal),
      keys: () => edgeNodes.keys(),
      clock,
      random,
      log,
      metrics,
    },
  );
}

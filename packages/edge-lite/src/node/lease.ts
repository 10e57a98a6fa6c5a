import {
  type Clock,
  type Counter,
  type Logger,
  type Random,
  SelvedgeError,
  hasCode,
  jittered,
  withDeadline,
} from '@selvedge/kit';
import { type KubeClient, ifFound, microTime, resources } from '@selvedge/kube';
import type { Lease } from '@selvedge/kube/types';

export interface LeaseOptions {
  readonly nodeName: string;
  /** The Node's, which owns the Lease. */
  readonly nodeUid: string;
  /** The kubelet's `nodeLeaseDurationSeconds`; it is renewed four times as often. */
  readonly durationSeconds: number;
}

export interface LeaseDeps {
  readonly client: Pick<KubeClient, 'get' | 'create' | 'replace'>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** `outcome`: `done`, `failed`. */
  readonly renewals: Counter;
}

const namespace = 'kube-node-lease';
const retryMs = 1_000;
/** Others may write the Lease too; each conflict is answered with the version that won. */
const maxConflicts = 5;

function fresh({ nodeName, nodeUid, durationSeconds }: LeaseOptions, nowMs: number): Lease {
  return {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: {
      name: nodeName,
      namespace,
      ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name: nodeName, uid: nodeUid }],
    },
    spec: {
      holderIdentity: nodeName,
      leaseDurationSeconds: durationSeconds,
      renewTime: microTime(nowMs),
    },
  };
}

class NodeLease {
  readonly #options: LeaseOptions;
  readonly #deps: LeaseDeps;
  #held: Lease | undefined;

  constructor(options: LeaseOptions, deps: LeaseDeps) {
    this.#options = options;
    this.#deps = deps;
  }

  async renew(signal: AbortSignal): Promise<void> {
    for (let conflicts = 0; conflicts < maxConflicts; conflicts += 1) {
      try {
        this.#held = await this.#write(signal);
        return;
      } catch (error) {
        this.#held = undefined;
        if (!hasCode(error, 'Conflict', 'AlreadyExists', 'NotFound')) throw error;
      }
    }
    throw new SelvedgeError('the Lease is being written by somebody else', { code: 'Conflict' });
  }

  async #write(signal: AbortSignal): Promise<Lease> {
    const { client, clock } = this.#deps;
    const known = this.#held ?? (await this.#read(signal));
    const next = fresh(this.#options, clock.now());
    if (known === undefined) return client.create(resources.leases, next, { signal });
    const { metadata } = known;
    const owned = { ...metadata, ownerReferences: next.metadata.ownerReferences };
    return client.replace(
      resources.leases,
      { ...known, metadata: owned, spec: { ...known.spec, ...next.spec } },
      { signal },
    );
  }

  async #read(signal: AbortSignal): Promise<Lease | undefined> {
    const at = { namespace, name: this.#options.nodeName };
    return ifFound(this.#deps.client.get(resources.leases, at, { signal }));
  }
}

/**
 * Renews the node's Lease in every quarter of its duration until the signal aborts, whatever happens to the Node's status.
 * Source: kubernetes.io "Leases", node heartbeats.
 */
export async function keepLease(options: LeaseOptions, deps: LeaseDeps, signal: AbortSignal): Promise<void> {
  const { clock, random, log, renewals } = deps;
  const lease = new NodeLease(options, deps);
  const intervalMs = options.durationSeconds * 250;
  while (!signal.aborted) {
    let waitMs = intervalMs;
    try {
      const deadline = { what: 'renewing the Lease', timeoutMs: intervalMs, signal };
      await withDeadline(deadline, clock, (inner) => lease.renew(inner));
      renewals.add({ outcome: 'done' });
    } catch (error) {
      signal.throwIfAborted();
      renewals.add({ outcome: 'failed' });
      log.warn('Lease not renewed', { error });
      waitMs = retryMs;
    }
    await clock.sleep(jittered(waitMs, random, 0.04), signal);
  }
}

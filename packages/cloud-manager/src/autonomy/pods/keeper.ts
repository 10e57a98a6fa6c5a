import type { Autonomy } from '@selvedge/api';
import { BoundedMap, type Clock, type Counter, type Logger, type Random, hasCode } from '@selvedge/kit';
import {
  type Controller,
  type KubeClient,
  type KubeMetrics,
  type ObjectReader,
  createController,
  keyOf,
  mergePatch,
  refOfKey,
  resources,
  strategicMergePatch,
} from '@selvedge/kube';
import type { Node, Pod } from '@selvedge/kube/types';
import { isHeld, keepsPods, messageOf, timestamp } from '../fate/index.ts';
import type { Judge } from '../judge.ts';
import { heldReason } from '../node/index.ts';
import { isGivenUp, isReady } from './pod-ready.ts';
import { type Tolerance, toleratedFor } from './tolerations.ts';

export interface PodKeeperDeps {
  readonly client: Pick<KubeClient, 'patch'>;
  readonly judge: Judge;
  readonly isEdge: (node: string) => boolean;
  readonly nodes: ObjectReader<Node>;
  /** By the index `node`. */
  readonly pods: ObjectReader<Pod>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly kubeMetrics: KubeMetrics;
  /** `change`: `tolerations`, `ready`. */
  readonly changes: Counter;
}

/** Keeps pods on nodes that lost their link. */
export interface PodKeeper extends Controller {
  /** Whether all pods of the node tolerate what they are to tolerate now, as far as is seen. */
  isSettled(node: string): boolean;
  enqueueOf(node: string): void;
}

/** As many as the stores hold. */
const maxKeys = 150_000;
const workers = 4;
const resyncMs = 5 * 60_000;
const timeoutMs = 10_000;
const fieldManager = 'selvedge-autonomy';
/** A pod is written by others too when it is bound and when its node comes and goes: one look is enough. */
const gatherMs = 200;

const isOver = ({ metadata, status }: Pod): boolean =>
  metadata.deletionTimestamp !== undefined || status?.phase === 'Succeeded' || status?.phase === 'Failed';

function toleranceOf(policy: Autonomy): Tolerance {
  if (policy.kind === 'off') return { kind: 'own' };
  return policy.kind === 'forever' ? policy : { kind: 'period', seconds: Math.ceil(policy.ms / 1_000) };
}

class Keeper {
  readonly #deps: PodKeeperDeps;
  /** Nodes that are or were edge nodes: tolerations like ours are ours there alone. */
  readonly #known = new BoundedMap<string, true>({ capacity: maxKeys });

  constructor(deps: PodKeeperDeps) {
    this.#deps = deps;
  }

  isSettled(node: string): boolean {
    return this.#deps.pods.byIndex('node', node).every((pod) => this.#tolerations(pod) === undefined);
  }

  async reconcile(key: string, signal: AbortSignal): Promise<void> {
    const pod = this.#deps.pods.get(key);
    if (pod === undefined || isOver(pod)) return;
    try {
      await this.#keep(pod, signal);
      await this.#restoreReady(pod, signal);
    } catch (error) {
      if (!hasCode(error, 'NotFound')) throw error;
    }
  }

  /** undefined: not to be said. Of an edge node that nobody has looked at yet, and of any other, nothing is undone. */
  #tolerance(node: string): Tolerance | undefined {
    const { judge, isEdge } = this.#deps;
    const fate = judge.fate(node);
    if (fate !== undefined || isEdge(node)) this.#known.set(node, true);
    if (fate === undefined) return isEdge(node) || !this.#known.get(node) ? undefined : { kind: 'own' };
    return keepsPods(fate) ? toleranceOf(judge.policy(node)) : { kind: 'own' };
  }

  /** undefined: they are as they should be. */
  #tolerations(pod: Pod): ReturnType<typeof toleratedFor> | undefined {
    const tolerance = isOver(pod) ? undefined : this.#tolerance(pod.spec?.nodeName ?? '');
    const before = pod.spec?.tolerations ?? [];
    const after = tolerance === undefined ? before : toleratedFor(before, tolerance);
    return after === before ? undefined : after;
  }

  async #keep(pod: Pod, signal: AbortSignal): Promise<void> {
    const tolerations = this.#tolerations(pod);
    if (tolerations === undefined) return;
    const { client, changes } = this.#deps;
    const { uid, resourceVersion } = pod.metadata;
    const patch = mergePatch({ metadata: { uid, resourceVersion }, spec: { tolerations } });
    await client.patch(resources.pods, refOfKey(keyOf(pod)), { patch, fieldManager, timeoutMs, signal });
    changes.add({ change: 'tolerations' });
  }

  /** After its node, or the node-lifecycle controller would undo it. */
  async #restoreReady(pod: Pod, signal: AbortSignal): Promise<void> {
    const { client, judge, nodes, clock, changes } = this.#deps;
    const node = pod.spec?.nodeName ?? '';
    const fate = judge.fate(node);
    if (fate === undefined || !isHeld(fate) || !isGivenUp(pod)) return;
    if (!isReady(nodes.get(node)?.status?.conditions)) return;
    const ready = {
      type: 'Ready',
      status: 'True',
      reason: heldReason,
      message: messageOf(fate),
      lastTransitionTime: timestamp(clock.now()),
    };
    const patch = strategicMergePatch({
      metadata: { uid: pod.metadata.uid },
      status: { conditions: [ready] },
    });
    const options = { subresource: 'status', patch, fieldManager, timeoutMs, signal };
    await client.patch(resources.pods, refOfKey(keyOf(pod)), options);
    changes.add({ change: 'ready' });
  }
}

/** Makes the pods of edge nodes tolerate the taints of a lost node for as long as its policy says, and keeps them Ready. */
export function createPodKeeper(deps: PodKeeperDeps): PodKeeper {
  const { pods, clock, random, log, kubeMetrics: metrics } = deps;
  const keeper = new Keeper(deps);
  const controller = createController(
    { name: 'autonomy-pods', workers, maxKeys, resyncMs, backoff: { initialMs: 200, maxMs: 10_000 } },
    {
      reconcile: (key, signal) => keeper.reconcile(key, signal),
      keys: () => pods.keys(),
      clock,
      random,
      log,
      metrics,
    },
  );
  return Object.assign(controller, {
    isSettled: (node: string) => keeper.isSettled(node),
    enqueueOf(node: string) {
      for (const pod of pods.byIndex('node', node)) controller.enqueue(keyOf(pod), gatherMs);
    },
  });
}

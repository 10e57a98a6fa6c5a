import { type Clock, type Counter, type Logger, type Random, hasCode } from '@selvedge/kit';
import {
  type Controller,
  type EventRecorder,
  type KubeClient,
  type KubeMetrics,
  type ObjectReader,
  type ReconcileResult,
  applyPatch,
  createController,
  mergePatch,
  resources,
  strategicMergePatch,
} from '@selvedge/kube';
import type { Node } from '@selvedge/kube/types';
import { type EdgeNodeObject, edgeNodeResource } from '../../edge-nodes/index.ts';
import { type Fate, isRecorded, recordOf } from '../fate/index.ts';
import type { Judge } from '../judge.ts';
import type { Failover } from './failover.ts';
import { isFailedOver, plannedConditions, plannedTaints } from './node-plan.ts';

export interface MirrorDeps {
  readonly client: Pick<KubeClient, 'patch'>;
  readonly judge: Judge;
  readonly failover: Failover;
  readonly edgeNodes: ObjectReader<EdgeNodeObject>;
  readonly nodes: ObjectReader<Node>;
  readonly events: Pick<EventRecorder, 'record'>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly kubeMetrics: KubeMetrics;
  /** `outcome`: `granted`, `withheld`, `limited`. */
  readonly failovers: Counter;
}

/** As many as the stores hold. */
const maxKeys = 100_000;
const workers = 4;
const resyncMs = 60_000;
const timeoutMs = 10_000;
/** A dead node that may not fail over yet is looked at again. */
const againAfterMs = 10_000;
const fieldManager = 'selvedge-autonomy';

/** Writes what a node is taken for where people and schedulers see it. */
class Mirror {
  readonly #deps: MirrorDeps;
  /** What kubelets said of their nodes last, as far as it was seen; only of those that are not Ready. */
  readonly #unready = new Set<string>();

  constructor(deps: MirrorDeps) {
    this.#deps = deps;
  }

  /** What a kubelet says is remembered: later it may be overwritten with Unknown. */
  see({ metadata, status }: Node): void {
    const { name = '' } = metadata;
    const ready = status?.conditions?.find(({ type }) => type === 'Ready')?.status;
    if (ready === 'False') this.#unready.add(name);
    if (ready === 'True') this.#unready.delete(name);
  }

  forget(node: string): void {
    this.#unready.delete(node);
    this.#deps.failover.forget(node);
  }

  async reconcile(node: string, signal: AbortSignal): Promise<ReconcileResult | undefined> {
    const fate = this.#deps.judge.fate(node);
    const object = this.#deps.nodes.get(node);
    if (fate?.kind !== 'Dead') this.#deps.failover.forget(node);
    if (fate === undefined || object === undefined) return undefined;
    try {
      await this.#record(node, fate, signal);
      // Before the conditions, which are a new version of the Node.
      const result = await this.#taint(object, fate, signal);
      await this.#write(object, fate, signal);
      return result;
    } catch (error) {
      // It is gone, or changed in between: the watch brings it.
      if (!hasCode(error, 'NotFound')) throw error;
      return undefined;
    }
  }

  async #record(node: string, fate: Fate, signal: AbortSignal): Promise<void> {
    if (isRecorded(fate, this.#deps.edgeNodes.get(node)?.status)) return;
    const patch = applyPatch({ status: recordOf(fate) });
    const options = { subresource: 'status', patch, fieldManager, force: true, timeoutMs, signal };
    await this.#deps.client.patch(edgeNodeResource, { name: node }, options);
  }

  async #write({ metadata, status }: Node, fate: Fate, signal: AbortSignal): Promise<void> {
    const { name = '', uid } = metadata;
    const { client, clock } = this.#deps;
    const facts = { wasReady: !this.#unready.has(name), now: clock.now() };
    const conditions = plannedConditions(status?.conditions ?? [], fate, facts);
    if (conditions.length === 0) return;
    const patch = strategicMergePatch({ metadata: { uid }, status: { conditions } });
    const options = { subresource: 'status', patch, fieldManager, timeoutMs, signal };
    await client.patch(resources.nodes, { name }, options);
  }

  async #taint(node: Node, fate: Fate, signal: AbortSignal): Promise<ReconcileResult | undefined> {
    const failOver = fate.kind === 'Dead' && !isFailedOver(node) && (await this.#mayFailOver(node, signal));
    const { name = '', uid, resourceVersion } = node.metadata;
    const before = node.spec?.taints ?? [];
    const taints = plannedTaints(before, fate, { failOver });
    if (taints !== before) {
      // Of a list without keys only the whole can be written, and only as it was seen.
      const patch = mergePatch({ metadata: { uid, resourceVersion }, spec: { taints } });
      await this.#deps.client.patch(resources.nodes, { name }, { patch, fieldManager, timeoutMs, signal });
    }
    return fate.kind === 'Dead' && !failOver && !isFailedOver(node) ? { againAfterMs } : undefined;
  }

  async #mayFailOver({ metadata }: Node, signal: AbortSignal): Promise<boolean> {
    const { failover, failovers, events, log } = this.#deps;
    const { name: node = '' } = metadata;
    const permission = await failover.permission(node, signal);
    failovers.add({ outcome: permission.kind });
    if (permission.kind === 'granted') {
      log.warn('dead node fails over', { node });
      return true;
    }
    const message = `The node is dead, its pods are not replaced: ${permission.why}.`;
    const about = { apiVersion: 'v1', kind: 'Node', name: node, uid: node };
    events.record(about, { type: 'Warning', reason: 'FailoverWithheld', message });
    return false;
  }
}

export interface NodeMirror extends Controller {
  /** Each Node as it is seen. */
  see(node: Node): void;
  forget(node: string): void;
}

/** Keeps EdgeNode, taints and conditions of each node as its fate wants them. */
export function createMirror(deps: MirrorDeps): NodeMirror {
  const { edgeNodes, clock, random, log, kubeMetrics: metrics } = deps;
  const mirror = new Mirror(deps);
  const controller = createController(
    { name: 'autonomy-nodes', workers, maxKeys, resyncMs, backoff: { initialMs: 200, maxMs: 10_000 } },
    {
      reconcile: (node, signal) => mirror.reconcile(node, signal),
      keys: () => edgeNodes.keys(),
      clock,
      random,
      log,
      metrics,
    },
  );
  return Object.assign(controller, {
    see: (node: Node) => mirror.see(node),
    forget: (node: string) => mirror.forget(node),
  });
}

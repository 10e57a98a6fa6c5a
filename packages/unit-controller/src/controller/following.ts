import type { Service } from '@selvedge/kit';
import type { Controller, KubeObject, StoreChange } from '@selvedge/kube';
import type { Node } from '@selvedge/kube/types';
import { type EdgeNodeObject, type EdgeUnitObject, nameOf } from '../objects.ts';
import type { ClusterReaders, ClusterView } from './cluster-view.ts';

export interface Queues {
  readonly nodes: Controller;
  readonly units: Controller;
}

/** What each change makes necessary to look at. */
export class Following implements Service {
  readonly name = 'unit subscriptions';
  readonly #readers: ClusterReaders;
  readonly #view: ClusterView;
  readonly #queues: Queues;
  readonly #gatherMs: number;
  readonly #subscriptions: (() => void)[] = [];

  constructor(parts: {
    readonly readers: ClusterReaders;
    readonly view: ClusterView;
    readonly queues: Queues;
    readonly gatherMs: number;
  }) {
    this.#readers = parts.readers;
    this.#view = parts.view;
    this.#queues = parts.queues;
    this.#gatherMs = parts.gatherMs;
  }

  /** The stores are in sync by now. */
  async start(): Promise<void> {
    const { units, nodes, edgeNodes } = this.#readers;
    for (const node of nodes.values())
      this.#view.membership.putNode(nameOf(node), node.metadata.labels ?? {});
    for (const unit of units.values()) this.#view.membership.putUnit(unit);
    this.#subscriptions.push(
      units.subscribe((change) => this.#onUnit(change)),
      nodes.subscribe((change) => this.#onNode(change)),
      edgeNodes.subscribe((change) => this.#onEdgeNode(change)),
    );
  }

  async stop(): Promise<void> {
    for (const unsubscribe of this.#subscriptions.splice(0)) unsubscribe();
  }

  #lookAt(nodes: Iterable<string>, units: Iterable<string | undefined>): void {
    for (const node of nodes) this.#queues.nodes.enqueue(node);
    for (const unit of units) if (unit !== undefined) this.#queues.units.enqueue(unit, this.#gatherMs);
  }

  #onUnit(change: StoreChange<EdgeUnitObject>): void {
    const name = nameOf(change.object);
    const { membership } = this.#view;
    const held = membership.membersOf(name);
    const isGone = change.kind === 'deleted';
    const moved = isGone ? membership.dropUnit(name) : membership.putUnit(change.object);
    const holders = Array.from(moved, (node) => membership.unitOf(node));
    // Its status, which is ours, concerns nobody else.
    if (isOwnWrite(change) && moved.size === 0) return;
    // A finalizer or something that it gives: all members.
    this.#lookAt([...moved, ...held, ...membership.membersOf(name)], holders);
    for (const node of moved) this.#lookAt([], this.#losers(node));
    this.#queues.units.enqueue(name);
  }

  /** Units that want the node and may have won or lost it. */
  #losers(node: string): readonly string[] {
    return this.#view.membership.claimantsOf(node);
  }

  #onNode({ kind, object }: StoreChange<Node>): void {
    const name = nameOf(object);
    const { membership } = this.#view;
    const before = membership.unitOf(name);
    if (kind === 'deleted') this.#view.nodes.forget(name);
    const touched =
      kind === 'deleted' ? membership.dropNode(name) : membership.putNode(name, object.metadata.labels ?? {});
    this.#lookAt([name], [...touched, before, membership.unitOf(name)]);
  }

  #onEdgeNode(change: StoreChange<EdgeNodeObject>): void {
    const name = nameOf(change.object);
    if (change.kind === 'deleted') this.#view.edgeNodes.forget(name);
    const before = change.kind === 'updated' ? change.previous : undefined;
    const pushed = [before, change.object].map((edgeNode) => edgeNode?.status?.unit?.name);
    this.#lookAt([name], [...pushed, this.#view.membership.unitOf(name)]);
  }
}

const meaningOf = ({ metadata }: KubeObject): string =>
  JSON.stringify([metadata.uid, metadata.generation, metadata.deletionTimestamp, metadata.finalizers]);

/** Only the status changed. */
const isOwnWrite = (change: StoreChange<EdgeUnitObject>): boolean =>
  change.kind === 'updated' && meaningOf(change.object) === meaningOf(change.previous);

import { type Service, createSubscriptions } from '@selvedge/kit';
import type { Controller, KubeObject, StoreChange } from '@selvedge/kube';
import type { Node } from '@selvedge/kube/types';
import { type EdgeNodeObject, type EdgeUnitObject, nameOf } from '../objects.ts';
import type { ClusterReaders, ClusterView } from './cluster-view.ts';

export interface Queues {
  readonly nodes: Controller;
  readonly units: Controller;
}

export interface FollowingDeps {
  readonly readers: ClusterReaders;
  readonly view: ClusterView;
  readonly queues: Queues;
  /** Changes of one unit within this time are one look at it. */
  readonly gatherMs: number;
}

const meaningOf = ({ metadata }: KubeObject): string =>
  JSON.stringify([metadata.uid, metadata.generation, metadata.deletionTimestamp, metadata.finalizers]);

/** Its status, which is ours and concerns nobody else. */
const isOnlyStatus = (change: StoreChange<EdgeUnitObject>): boolean =>
  change.kind === 'updated' && meaningOf(change.object) === meaningOf(change.previous);

/** What each change makes necessary to look at. */
class Following {
  readonly #deps: FollowingDeps;

  constructor(deps: FollowingDeps) {
    this.#deps = deps;
  }

  onUnit(change: StoreChange<EdgeUnitObject>): void {
    const name = nameOf(change.object);
    const { membership } = this.#deps.view;
    const before = membership.membersOf(name);
    const moved = change.kind === 'deleted' ? membership.dropUnit(name) : membership.putUnit(change.object);
    if (isOnlyStatus(change) && moved.size === 0) return;
    // Its finalizer, or something that it gives: all members. Whoever waits for one of those that moved sees it go by.
    this.#lookAtNodes([...moved, ...before, ...membership.membersOf(name)]);
    this.#lookAtUnits([name, ...Array.from(moved, (node) => membership.claimantsOf(node)).flat()]);
  }

  onNode({ kind, object }: StoreChange<Node>): void {
    const name = nameOf(object);
    const { view } = this.#deps;
    const before = view.membership.unitOf(name);
    if (kind === 'deleted') view.nodes.forget(name);
    const touched =
      kind === 'deleted'
        ? view.membership.dropNode(name)
        : view.membership.putNode(name, object.metadata.labels ?? {});
    this.#lookAtNodes([name]);
    this.#lookAtUnits([...touched, before, view.membership.unitOf(name)]);
  }

  onEdgeNode(change: StoreChange<EdgeNodeObject>): void {
    const name = nameOf(change.object);
    const { view } = this.#deps;
    if (change.kind === 'deleted') view.edgeNodes.forget(name);
    const before = change.kind === 'updated' ? change.previous : undefined;
    const pushed = [before, change.object].map((edgeNode) => edgeNode?.status?.unit?.name);
    this.#lookAtNodes([name]);
    this.#lookAtUnits([...pushed, view.membership.unitOf(name)]);
  }

  #lookAtNodes(names: Iterable<string>): void {
    for (const name of names) this.#deps.queues.nodes.enqueue(name);
  }

  #lookAtUnits(names: Iterable<string | undefined>): void {
    const { queues, gatherMs } = this.#deps;
    for (const name of names) if (name !== undefined) queues.units.enqueue(name, gatherMs);
  }
}

/** Fills the view and keeps it up to date; the stores are in sync when it starts. */
export function createFollowing(deps: FollowingDeps): Service {
  const { units, nodes, edgeNodes } = deps.readers;
  const { membership } = deps.view;
  const following = new Following(deps);
  return createSubscriptions({ name: 'unit subscriptions' }, () => {
    for (const node of nodes.values()) membership.putNode(nameOf(node), node.metadata.labels ?? {});
    for (const unit of units.values()) membership.putUnit(unit);
    return [
      units.subscribe((change) => following.onUnit(change)),
      nodes.subscribe((change) => following.onNode(change)),
      edgeNodes.subscribe((change) => following.onEdgeNode(change)),
    ];
  });
}

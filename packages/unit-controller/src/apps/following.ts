import { isDeepStrictEqual } from 'node:util';
import { labels } from '@selvedge/api';
import { type Service, createSubscriptions } from '@selvedge/kit';
import { type Controller, type KubeObject, type StoreChange, keyOf } from '@selvedge/kube';
import type { ClonePod } from '../gate/index.ts';
import type { EdgeUnitObject, UnitAppObject } from '../objects.ts';
import { isSelected, valuesOf } from '../rendering/index.ts';
import type { AppView } from './view/index.ts';
import { isConnected, isCutInPart } from './facts/index.ts';
import { appKeyOf } from './owner.ts';

export interface FollowingDeps {
  readonly view: AppView;
  readonly queue: Pick<Controller, 'enqueue'>;
  /** Changes of one UnitApp within this time are one look at it. */
  readonly gatherMs: number;
}

/** What a UnitApp reads of a unit. */
const meaningOf = (unit: EdgeUnitObject): unknown => [
  unit.metadata.uid,
  unit.metadata.labels,
  unit.spec?.maintenanceWindows,
  isConnected(unit),
  isCutInPart(unit),
];

const restartsIn = (change: StoreChange<ClonePod>): readonly (number | undefined)[] =>
  change.kind === 'updated'
    ? [change.previous.restarts, change.object.restarts]
    : [0, change.object.restarts];

/** What each change makes necessary to look at. */
class Following {
  readonly #deps: FollowingDeps;

  constructor(deps: FollowingDeps) {
    this.#deps = deps;
  }

  onUnit(change: StoreChange<EdgeUnitObject>): void {
    const units = change.kind === 'updated' ? [change.previous, change.object] : [change.object];
    const [before, after] = units.map(meaningOf);
    if (change.kind === 'updated' && isDeepStrictEqual(before, after)) return;
    for (const app of this.#deps.view.readers.apps.values()) {
      if (units.some((unit) => isWantedIn(app, unit))) this.lookAt(keyOf(app));
    }
  }

  /** It goes to whom it belonged to, and to whom it belongs now. */
  onMade(change: StoreChange<KubeObject>): void {
    const previous = change.kind === 'updated' ? appKeyOf(change.previous) : undefined;
    const owner = appKeyOf(change.object);
    if (previous !== owner) this.lookAt(previous);
    this.lookAt(owner);
  }

  /** Where it runs and how it fares says its workload; only how often it restarted does not. */
  onPod(change: StoreChange<ClonePod>): void {
    const [before, after] = restartsIn(change);
    const { namespace = '', labels: own } = change.object.metadata;
    if (before !== after) this.lookAt(`${namespace}/${own?.[labels.unitApp] ?? ''}`);
  }

  lookAt(key: string | undefined): void {
    if (key !== undefined) this.#deps.queue.enqueue(key, this.#deps.gatherMs);
  }
}

/** A selector that is none selects nothing. */
function isWantedIn({ spec }: UnitAppObject, unit: EdgeUnitObject): boolean {
  try {
    return isSelected(spec.unitSelector, valuesOf(unit));
  } catch {
    return false;
  }
}

/** Keeps the queue told; the stores are in sync when it starts. */
export function createFollowing(deps: FollowingDeps): Service {
  const { view } = deps;
  const { apps, units, revisions, pods, children } = view.readers;
  const following = new Following(deps);
  return createSubscriptions({ name: 'unit app subscriptions' }, () => [
    apps.subscribe(({ object }) => following.lookAt(keyOf(object))),
    units.subscribe((change) => following.onUnit(change)),
    revisions.subscribe((change) => following.onMade(change)),
    pods.subscribe((change) => following.onPod(change)),
    ...children.map(({ resource, objects }) =>
      objects.subscribe((change) => {
        if (change.kind === 'deleted') view.forgetChild(resource, keyOf(change.object));
        following.onMade(change);
      }),
    ),
  ]);
}

import { labels } from '@selvedge/api';
import {
  type KubeObject,
  type ObjectCaches,
  type ObjectReader,
  type Resource,
  resources,
  withoutManagedFields,
} from '@selvedge/kube';
import type { ControllerRevision } from '@selvedge/kube/types';
import { type ClonePod, clonePodIndexers, clonePodResource, keptClonePod } from '../../gate/index.ts';
import { type EdgeUnitObject, type UnitAppObject, unitAppResource } from '../../objects.ts';
import { horizontalPodAutoscalers } from '../../rendering/index.ts';
import { type Keep, type SeenChild, createKeep } from '../children/index.ts';
import { keptRevision } from '../revisions/index.ts';
import { appIndexers } from '../owner.ts';

/** Objects of one kind that UnitApps make. */
export interface ChildReader {
  readonly resource: Resource<KubeObject>;
  readonly objects: ObjectReader<SeenChild>;
}

/** What UnitApps are decided from, besides EdgeUnits. */
export interface AppObjects {
  readonly apps: ObjectReader<UnitAppObject>;
  readonly children: readonly ChildReader[];
  readonly revisions: ObjectReader<ControllerRevision>;
  readonly pods: ObjectReader<ClonePod>;
  /** What is kept of an answer to a write is what is kept of an object that is seen. */
  readonly keep: Keep;
}

export interface AppReaders extends AppObjects {
  readonly units: ObjectReader<EdgeUnitObject>;
}

const childResources: readonly Resource<KubeObject>[] = [
  resources.configMaps,
  resources.secrets,
  resources.services,
  resources.deployments,
  resources.statefulSets,
  resources.daemonSets,
  horizontalPodAutoscalers,
];

/** Follows only what UnitApps made; of that, no contents are kept. To be called before the caches start. */
export function followApps(caches: Pick<ObjectCaches, 'follow'>): AppObjects {
  const labelSelector = labels.unitApp;
  const keep = createKeep();
  return {
    keep,
    apps: caches.follow({ resource: unitAppResource, mayBeUndefined: true }, { keep: withoutManagedFields }),
    revisions: caches.follow(
      { resource: resources.controllerRevisions, labelSelector },
      { keep: keptRevision, indexers: appIndexers },
    ),
    pods: caches.follow(
      { resource: clonePodResource, labelSelector },
      { keep: keptClonePod, indexers: clonePodIndexers },
    ),
    children: childResources.map((resource) => ({
      resource,
      objects: caches.follow<SeenChild>({ resource, labelSelector }, { keep, indexers: appIndexers }),
    })),
  };
}

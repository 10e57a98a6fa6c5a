import { autonomousCondition } from '@selvedge/api';
import type { Service } from '@selvedge/kit';
import {
  type ObjectCachesDeps,
  type ObjectReader,
  createObjectCaches,
  resources,
  slimMetadata,
  withoutManagedFields,
} from '@selvedge/kube';
import type { Lease, Node } from '@selvedge/kube/types';
import { type EdgeUnitObject, edgeUnitResource, unitIndexers } from '@selvedge/unit-controller';
import { memberIndexers } from './autonomy/index.ts';
import { type EdgeNodeObject, edgeNodeResource } from './edge-nodes/index.ts';
import { nodeIndexers } from './egress/index.ts';
import { serverSelector } from './sessions/index.ts';

/** What every server knows of the cluster; what is decided by the leader is decided from the same. */
export interface Caches {
  /** With `unitIndexers`. */
  readonly edgeNodes: ObjectReader<EdgeNodeObject>;
  /** With `memberIndexers`. None where the kind is not defined yet. */
  readonly edgeUnits: ObjectReader<EdgeUnitObject>;
  /** What anything here reads of them, see `keptNode`. */
  readonly nodes: ObjectReader<Node>;
  /** The Leases of the tunnel servers. */
  readonly serverLeases: ObjectReader<Lease>;
  /** Its start waits until all are in sync. */
  readonly service: Service;
  readonly synced: boolean;
}

/** A Node without its images and most of its conditions, which are most of it. Pure. */
function keptNode({ metadata, spec, status }: Node): Node {
  const { labels, annotations, creationTimestamp } = metadata;
  const { podCIDRs, taints, unschedulable } = spec ?? {};
  const { addresses, daemonEndpoints, conditions } = status ?? {};
  return {
    metadata: { ...slimMetadata(metadata), labels, annotations, creationTimestamp },
    spec: { podCIDRs, taints, unschedulable },
    status: {
      addresses,
      daemonEndpoints,
      conditions: conditions?.filter(({ type }) => type === 'Ready' || type === autonomousCondition),
    },
  };
}

/** Keeps the objects that are read here, in memory, each kind once. `namespace`: where the Leases are. */
export function createCaches(namespace: string, deps: ObjectCachesDeps): Caches {
  const caches = createObjectCaches({ name: 'caches' }, deps);
  const keep = withoutManagedFields;
  return {
    edgeNodes: caches.follow({ resource: edgeNodeResource }, { indexers: unitIndexers, keep }),
    edgeUnits: caches.follow(
      { resource: edgeUnitResource, mayBeUndefined: true },
      { indexers: memberIndexers, keep },
    ),
    nodes: caches.follow({ resource: resources.nodes }, { keep: keptNode, indexers: nodeIndexers }),
    serverLeases: caches.follow({ resource: resources.leases, namespace, labelSelector: serverSelector }),
    service: caches.service,
    get synced() {
      return caches.synced;
    },
  };
}

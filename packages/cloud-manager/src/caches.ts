import type { Service } from '@selvedge/kit';
import {
  type ObjectCachesDeps,
  type ObjectReader,
  createObjectCaches,
  resources,
  slimMetadata,
} from '@selvedge/kube';
import type { Lease, Node } from '@selvedge/kube/types';
import { unitIndexers } from '@selvedge/unit-controller';
import { type EdgeNodeObject, edgeNodeResource } from './edge-nodes/index.ts';
import { nodeIndexers } from './egress/index.ts';
import { serverSelector } from './sessions/index.ts';

/** What every server knows of the cluster. */
export interface Caches {
  readonly edgeNodes: ObjectReader<EdgeNodeObject>;
  /** Their names, labels, ranges of pod addresses, addresses and the kubelet's port. */
  readonly nodes: ObjectReader<Node>;
  /** The Leases of the tunnel servers. */
  readonly serverLeases: ObjectReader<Lease>;
  /** Its start waits until all are in sync. */
  readonly service: Service;
  readonly synced: boolean;
}

/** A Node without its images, conditions and the like, which are most of it. */
function whereabouts({ metadata, spec, status }: Node): Node {
  const { addresses, daemonEndpoints } = status ?? {};
  return {
    metadata: { ...slimMetadata(metadata), labels: metadata.labels },
    spec: { podCIDRs: spec?.podCIDRs },
    status: { addresses, daemonEndpoints },
  };
}

/** Keeps the objects that are read here, in memory. `namespace`: where the Leases are. */
export function createCaches(namespace: string, deps: ObjectCachesDeps): Caches {
  const caches = createObjectCaches({ name: 'caches' }, deps);
  return {
    edgeNodes: caches.follow({ resource: edgeNodeResource }, { indexers: unitIndexers }),
    nodes: caches.follow({ resource: resources.nodes }, { keep: whereabouts, indexers: nodeIndexers }),
    serverLeases: caches.follow({ resource: resources.leases, namespace, labelSelector: serverSelector }),
    service: caches.service,
    get synced() {
      return caches.synced;
    },
  };
}

import type { Clock, Logger, Random, Service } from '@selvedge/kit';
import {
  type IndexedStore,
  type KubeClient,
  type KubeMetrics,
  type KubeObject,
  type ObjectReader,
  type Reflector,
  type ReflectorOptions,
  type StoreOptions,
  createIndexedStore,
  createReflector,
  resources,
} from '@selvedge/kube';
import type { Lease, Node } from '@selvedge/kube/types';
import { type EdgeNodeObject, edgeNodeResource } from './edge-nodes/index.ts';
import { nodeIndexers } from './egress/index.ts';
import { serverSelector } from './sessions/index.ts';

export interface CachesDeps {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly kubeMetrics: KubeMetrics;
}

/** What every server knows of the cluster. */
export interface Caches {
  readonly edgeNodes: ObjectReader<EdgeNodeObject>;
  /** Their names, labels, ranges of pod addresses, addresses and the kubelet's port. */
  readonly nodes: ObjectReader<Node>;
  /** The Leases of the tunnel servers. */
  readonly serverLeases: ObjectReader<Lease>;
  /** In the order of starting. The last one's start waits until all are in sync. */
  readonly services: readonly Service[];
  readonly synced: boolean;
}

/** A Node without its images, conditions and the like, which are most of it. */
function whereabouts({ metadata, spec, status }: Node): Node {
  const { name, uid, resourceVersion, labels } = metadata;
  const { addresses, daemonEndpoints } = status ?? {};
  return {
    metadata: { name, uid, resourceVersion, labels },
    spec: { podCIDRs: spec?.podCIDRs },
    status: { addresses, daemonEndpoints },
  };
}

/** Keeps the objects that are read here, in memory. `namespace`: where the Leases are. */
export function createCaches(namespace: string, deps: CachesDeps): Caches {
  const reflectors: Reflector[] = [];
  const follow = <T extends KubeObject>(
    options: ReflectorOptions<T>,
    kept?: StoreOptions<T>,
  ): IndexedStore<T> => {
    const store = createIndexedStore<T>(kept);
    reflectors.push(createReflector(options, { ...deps, store, metrics: deps.kubeMetrics }));
    return store;
  };
  const edgeNodes = follow({ resource: edgeNodeResource });
  const nodes = follow({ resource: resources.nodes }, { keep: whereabouts, indexers: nodeIndexers });
  const serverLeases = follow({ resource: resources.leases, namespace, labelSelector: serverSelector });
  const inSync: Service = {
    name: 'caches',
    async start(signal) {
      await Promise.all(reflectors.map((reflector) => reflector.whenSynced(signal)));
    },
    stop: () => Promise.resolve(),
  };
  return {
    edgeNodes,
    nodes,
    serverLeases,
    services: [...reflectors, inSync],
    get synced() {
      return reflectors.every((reflector) => reflector.synced);
    },
  };
}

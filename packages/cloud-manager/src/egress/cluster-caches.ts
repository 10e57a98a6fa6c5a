import { type Clock, type Logger, type Random, type Service, createServiceGroup } from '@selvedge/kit';
import {
  type Indexer,
  type KubeClient,
  type KubeMetrics,
  type KubeObject,
  type ObjectReader,
  type Reflector,
  type ReflectorOptions,
  type ReflectorStore,
  createIndexedStore,
  createReflector,
  resources,
} from '@selvedge/kube';
import type {
  EndpointSlice,
  Service as KubeService,
  ObjectMeta,
  Pod,
} from '@selvedge/kube/types';
import { podIndexers, serviceIndexers, sliceIndexers } from './cluster-view.ts';

export interface ClusterCachesDeps {
  readonly client: Pick<KubeClient, 'list' | 'watch'>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly kubeMetrics: KubeMetrics;
}

/** What destinations are looked up in, beside the nodes. */
export interface ClusterCaches {
  readonly pods: ObjectReader<Pod>;
  readonly services: ObjectReader<KubeService>;
  readonly endpointSlices: ObjectReader<EndpointSlice>;
  /** Its start waits until all are in sync. */
  readonly service: Service;
  readonly synced: boolean;
}

/** As many as Kubernetes is made for. */
const maxPods = 150_000;
/** Pods that have an address of their own. Nothing of what is left out is ever needed. */
const podSelector = 'spec.hostNetwork=false,status.phase!=Succeeded,status.phase!=Failed';

const slimMeta = ({ name, namespace, uid, resourceVersion, labels }: ObjectMeta): ObjectMeta => ({
  name,
  namespace,
  uid,
  resourceVersion,
  labels,
});

/** What is looked up of a pod; a hundredth of it. Pure. */
export const slimPod = ({ metadata, spec, status }: Pod): Pod => ({
  metadata: { ...slimMeta(metadata), labels: undefined },
  spec: { containers: [], nodeName: spec?.nodeName, hostNetwork: spec?.hostNetwork },
  status: { phase: status?.phase, podIPs: status?.podIPs },
});

const slimService = ({ metadata, spec }: KubeService): KubeService => ({
  metadata: { ...slimMeta(metadata), labels: undefined },
  spec: { clusterIPs: spec?.clusterIPs, ports: spec?.ports },
});

const slimSlice = ({ metadata, addressType, endpoints, ports }: EndpointSlice): EndpointSlice => ({
  metadata: slimMeta(metadata),
  addressType,
  ports,
  endpoints: endpoints?.map(({ addresses, conditions, nodeName }) => ({ addresses, conditions, nodeName })),
});

/** Keeps of each object what `slim` leaves. */
function slimmed<T extends KubeObject>(store: ReflectorStore<T>, slim: (object: T) => T): ReflectorStore<T> {
  return {
    beginReplace() {
      const { add, ...rest } = store.beginReplace();
      return { ...rest, add: (objects) => add(objects.map(slim)) };
    },
    apply: (events, resourceVersion) =>
      store.apply(
        events.map(({ type, object }) => ({ type, object: slim(object) })),
        resourceVersion,
      ),
  };
}

interface Following<T extends KubeObject> {
  readonly options: ReflectorOptions<T>;
  readonly indexers: Readonly<Record<string, Indexer<T>>>;
  readonly slim: (object: T) => T;
}

/** Keeps pods, Services and EndpointSlices in memory, of each what destinations are found by. */
export function createClusterCaches(deps: ClusterCachesDeps): ClusterCaches {
  const reflectors: Reflector[] = [];
  const follow = <T extends KubeObject>({ options, indexers, slim }: Following<T>): ObjectReader<T> => {
    const maxObjects = options.maxObjects ?? 100_000;
    const store = createIndexedStore<T>({ indexers, maxObjects });
    const metrics = deps.kubeMetrics;
    reflectors.push(createReflector(options, { ...deps, store: slimmed(store, slim), metrics }));
    return store;
  };
  const pods = follow({
    options: { resource: resources.pods, fieldSelector: podSelector, maxObjects: maxPods },
    indexers: podIndexers,
    slim: slimPod,
  });
  const services = follow({
    options: { resource: resources.services },
    indexers: serviceIndexers,
    slim: slimService,
  });
  const endpointSlices = follow({
    options: { resource: resources.endpointSlices },
    indexers: sliceIndexers,
    slim: slimSlice,
  });
  const inSync: Service = {
    name: 'cluster caches in sync',
    async start(signal) {
      await Promise.all(reflectors.map((reflector) => reflector.whenSynced(signal)));
    },
    stop: () => Promise.resolve(),
  };
  const service = createServiceGroup({ name: 'cluster caches', services: [...reflectors, inSync] }, deps);
  return {
    pods,
    services,
    endpointSlices,
    service,
    get synced() {
      return reflectors.every((reflector) => reflector.synced);
    },
  };
}

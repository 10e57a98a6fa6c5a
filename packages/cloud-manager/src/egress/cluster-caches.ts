import { type Clock, type Logger, type Random, type Service, createServiceGroup } from '@selvedge/kit';
import {
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
import type { EndpointSlice, Service as KubeService, ObjectMeta, Pod } from '@selvedge/kube/types';
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
const slimPod = ({ metadata, spec, status }: Pod): Pod => ({
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

/** Keeps pods, Services and EndpointSlices in memory, of each what destinations are found by. */
export function createClusterCaches(deps: ClusterCachesDeps): ClusterCaches {
  const reflectors: Reflector[] = [];
  const follow = <T extends KubeObject>(
    options: ReflectorOptions<T>,
    kept: StoreOptions<T>,
  ): ObjectReader<T> => {
    const { maxObjects } = options;
    const store = createIndexedStore<T>({ ...kept, ...(maxObjects === undefined ? {} : { maxObjects }) });
    reflectors.push(createReflector(options, { ...deps, store, metrics: deps.kubeMetrics }));
    return store;
  };
  const pods = follow(
    { resource: resources.pods, fieldSelector: podSelector, maxObjects: maxPods },
    { indexers: podIndexers, keep: slimPod },
  );
  const services = follow({ resource: resources.services }, { indexers: serviceIndexers, keep: slimService });
  const endpointSlices = follow(
    { resource: resources.endpointSlices },
    { indexers: sliceIndexers, keep: slimSlice },
  );
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

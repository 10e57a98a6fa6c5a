import type { Service } from '@selvedge/kit';
import {
  type ObjectCachesDeps,
  type ObjectReader,
  createObjectCaches,
  resources,
  slimMetadata,
} from '@selvedge/kube';
import type { EndpointSlice, Service as KubeService, Pod } from '@selvedge/kube/types';
import { podIndexers, serviceIndexers, sliceIndexers } from './cluster-view.ts';

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

/** What is looked up of a pod; a hundredth of it. Pure. */
const slimPod = ({ metadata, spec, status }: Pod): Pod => ({
  metadata: slimMetadata(metadata),
  spec: { containers: [], nodeName: spec?.nodeName, hostNetwork: spec?.hostNetwork },
  status: { phase: status?.phase, podIPs: status?.podIPs },
});

const slimService = ({ metadata, spec }: KubeService): KubeService => ({
  metadata: slimMetadata(metadata),
  spec: { clusterIPs: spec?.clusterIPs, ports: spec?.ports },
});

const slimSlice = ({ metadata, addressType, endpoints, ports }: EndpointSlice): EndpointSlice => ({
  metadata: { ...slimMetadata(metadata), labels: metadata.labels },
  addressType,
  ports,
  endpoints: endpoints?.map(({ addresses, conditions, nodeName }) => ({ addresses, conditions, nodeName })),
});

/** Keeps pods, Services and EndpointSlices in memory, of each what destinations are found by. */
export function createClusterCaches(deps: ObjectCachesDeps): ClusterCaches {
  const caches = createObjectCaches({ name: 'cluster caches' }, deps);
  return {
    pods: caches.follow(
      { resource: resources.pods, fieldSelector: podSelector, maxObjects: maxPods },
      { indexers: podIndexers, keep: slimPod },
    ),
    services: caches.follow(
      { resource: resources.services },
      { indexers: serviceIndexers, keep: slimService },
    ),
    endpointSlices: caches.follow(
      { resource: resources.endpointSlices },
      { indexers: sliceIndexers, keep: slimSlice },
    ),
    service: caches.service,
    get synced() {
      return caches.synced;
    },
  };
}

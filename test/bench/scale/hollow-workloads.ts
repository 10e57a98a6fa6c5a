import { labels } from '@selvedge/api';
import {
  type Clock,
  createMetricsRegistry,
  createServiceGroup,
  createSubscriptions,
  silentLogger,
} from '@selvedge/kit';
import type { Service } from '@selvedge/kit';
import {
  type KubeClient,
  createController,
  createKubeMetrics,
  createObjectCaches,
  keyOf,
  mergePatch,
  refOfKey,
  resources,
  slimMetadata,
} from '@selvedge/kube';
import type { Deployment } from '@selvedge/kube/types';

const timeoutMs = 20_000;
const workers = 16;
const maxKeys = 200_000;

/** What is needed to answer. */
const kept = ({ metadata, spec, status }: Deployment): Deployment => ({
  metadata: { ...slimMetadata(metadata), generation: metadata.generation },
  spec: { replicas: spec?.replicas } as Deployment['spec'],
  status: { observedGeneration: status?.observedGeneration },
});

const isObserved = ({ metadata, status }: Deployment): boolean =>
  (status?.observedGeneration ?? 0) >= (metadata.generation ?? 1);

/** Says of each Deployment that a UnitApp made, once and at once, that all its pods are available; there are none. */
export function createHollowWorkloads({
  client,
  clock,
}: {
  readonly client: KubeClient;
  readonly clock: Clock;
}): Service {
  const kubeMetrics = createKubeMetrics(createMetricsRegistry());
  const shared = { clock, random: () => 0.5, log: silentLogger };
  const caches = createObjectCaches({ name: 'workloads' }, { ...shared, client, kubeMetrics });
  const deployments = caches.follow(
    { resource: resources.deployments, labelSelector: labels.unitApp, maxObjects: maxKeys },
    { keep: kept, maxObjects: maxKeys },
  );
  const controller = createController(
    { name: 'workloads', workers, maxKeys },
    {
      ...shared,
      metrics: kubeMetrics,
      keys: () => [],
      async reconcile(key, signal) {
        const deployment = deployments.get(key);
        if (deployment === undefined || isObserved(deployment)) return;
        const { replicas = 1 } = deployment.spec ?? {};
        const all = {
          replicas,
          updatedReplicas: replicas,
          readyReplicas: replicas,
          availableReplicas: replicas,
        };
        const status = { observedGeneration: deployment.metadata.generation, ...all };
        const options = { patch: mergePatch({ status }), subresource: 'status', signal, timeoutMs };
        await client.patch(resources.deployments, refOfKey(key), options);
      },
    },
  );
  const changes = createSubscriptions({ name: 'workload changes' }, () => [
    deployments.subscribe(({ object }) => void controller.enqueue(keyOf(object))),
  ]);
  const services = [controller, changes, caches.service];
  return createServiceGroup({ name: 'hollow workloads', services }, shared);
}

import {
  BoundedMap,
  type Clock,
  type Logger,
  type Random,
  type Service,
  createServiceGroup,
  createSubscriptions,
  hasCode,
} from '@selvedge/kit';
import {
  type KubeClient,
  type KubeMetrics,
  type KubeObject,
  applyPatch,
  createController,
  createNewest,
  createObjectCaches,
  keyOf,
  refOfKey,
  resources,
} from '@selvedge/kube';
import { fieldManager, keptTraffic, planInheritance } from './plan.ts';

export interface TrafficDefaultsDeps {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly kubeMetrics: KubeMetrics;
}

/** Services that were written and may not be seen as written yet. */
const maxWritten = 10_000;
/** As many as wait to be looked at. */
const maxKeys = 100_000;
/** A namespace with many Services is no burst for the API server. */
const workers = 4;
const timeoutMs = 10_000;
/** Whoever else writes a Service again and again is answered once in this time. */
const gatherMs = 1_000;

const inNamespace = 'namespace';
/** It is another one by now, or none, or somebody gave it an annotation just now: the watch brings it. */
const passing = ['Conflict', 'NotFound'] as const;

const namespaceOf = ({ metadata }: KubeObject): string => metadata.namespace ?? '';

/**
 * Gives Services the traffic scope of their namespace, where nobody gave them one of their own, and takes it away when the
 * namespace has none. Only a Service that is not as it is to be is written. For one server at a time.
 */
export function createTrafficDefaults(deps: TrafficDefaultsDeps): Service {
  const { client, clock, random, log, kubeMetrics: metrics } = deps;
  const caches = createObjectCaches({ name: 'traffic caches' }, deps);
  const namespaces = caches.follow<KubeObject>(
    { resource: resources.namespaces, metadataOnly: true },
    { keep: keptTraffic },
  );
  const services = caches.follow<KubeObject>(
    { resource: resources.services, metadataOnly: true },
    { keep: keptTraffic, indexers: { [inNamespace]: (service) => [namespaceOf(service)] } },
  );
  const newest = createNewest({ capacity: maxWritten }, services);
  const said = new BoundedMap<string, true>({ capacity: maxWritten });
  const reconcile = async (key: string, signal: AbortSignal): Promise<void> => {
    const service = newest.get(key);
    const wanted = service && planInheritance(service, namespaces.get(namespaceOf(service)));
    if (service === undefined || wanted === undefined) return;
    const patch = applyPatch({ metadata: { uid: service.metadata.uid, annotations: wanted } });
    const options = { patch, fieldManager, timeoutMs, signal };
    try {
      newest.wrote(keptTraffic(await client.patch(resources.services, refOfKey(key), options)));
      const level = said.get(key) === true ? 'debug' : 'info';
      said.set(key, true);
      log[level]('traffic scope of the namespace set', { service: key, annotations: wanted });
    } catch (error) {
      newest.forget(key);
      if (!hasCode(error, ...passing)) throw error;
    }
  };
  const controller = createController(
    { name: 'traffic-defaults', workers, maxKeys },
    { reconcile, keys: () => services.keys(), clock, random, log, metrics },
  );
  const following = createSubscriptions({ name: 'traffic subscriptions' }, () => [
    services.subscribe(({ object, kind }) => {
      const key = keyOf(object);
      if (kind === 'deleted') newest.forget(key);
      else controller.enqueue(key, kind === 'added' ? 0 : gatherMs);
    }),
    namespaces.subscribe(({ object }) => {
      for (const service of services.byIndex(inNamespace, object.metadata.name ?? ''))
        controller.enqueue(keyOf(service));
    }),
  ]);
  return createServiceGroup(
    { name: 'traffic defaults', services: [caches.service, following, controller] },
    { log },
  );
}

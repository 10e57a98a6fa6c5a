import {
  type Clock,
  type Logger,
  type MetricsRegistry,
  type Random,
  type Service,
  createServiceGroup,
} from '@selvedge/kit';
import {
  type KubeClient,
  type KubeMetrics,
  type ObjectReader,
  createEventRecorder,
  createObjectCaches,
  resources,
  slimMetadata,
} from '@selvedge/kube';
import type { Node } from '@selvedge/kube/types';
import {
  type EdgeNodeObject,
  type EdgeUnitObject,
  createUnitController,
  createUnitMetrics,
  edgeUnitResource,
} from '@selvedge/unit-controller';

export interface UnitsDeps {
  /** Of this server among all. */
  readonly server: string;
  readonly client: KubeClient;
  /** With `unitIndexers`. */
  readonly edgeNodes: ObjectReader<EdgeNodeObject>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics: MetricsRegistry;
  readonly kubeMetrics: KubeMetrics;
}

/** A Node's name and what a unit may give it, or shows of it. */
function keptNode({ metadata, spec, status }: Node): Node {
  const { labels, annotations } = metadata;
  const { taints, unschedulable } = spec ?? {};
  const addresses = status?.addresses?.filter(({ type }) => type === 'InternalIP');
  return {
    metadata: { ...slimMetadata(metadata), labels, annotations },
    spec: { taints, unschedulable },
    status: { addresses },
  };
}

/** Makes what keeps units, for each time that this server leads. What it reads is in memory only then. */
export function createUnits(deps: UnitsDeps): () => Service {
  const { server, log, metrics, kubeMetrics } = deps;
  let known: ObjectReader<EdgeUnitObject> | undefined;
  const unitMetrics = createUnitMetrics(metrics, () => Array.from(known?.values() ?? []));
  return () => {
    const caches = createObjectCaches({ name: 'unit caches' }, deps);
    const units = caches.follow({ resource: edgeUnitResource });
    const nodes = caches.follow({ resource: resources.nodes }, { keep: keptNode });
    const events = createEventRecorder(
      { component: 'cloud-manager', host: server },
      { ...deps, metrics: kubeMetrics },
    );
    const controller = createUnitController({}, { ...deps, units, nodes, events, metrics: unitMetrics });
    const shown: Service = {
      name: 'unit gauges',
      async start() {
        known = units;
      },
      async stop() {
        known = undefined;
      },
    };
    return createServiceGroup(
      { name: 'units', services: [events, caches.service, controller, shown] },
      { log },
    );
  };
}

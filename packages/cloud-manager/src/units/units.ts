import {
  type Clock,
  type Logger,
  type MetricsRegistry,
  type Random,
  type Service,
  createServiceGroup,
} from '@selvedge/kit';
import { type KubeClient, type KubeMetrics, type ObjectReader, createEventRecorder } from '@selvedge/kube';
import type { Node } from '@selvedge/kube/types';
import {
  type EdgeNodeObject,
  type EdgeUnitObject,
  createUnitController,
  createUnitMetrics,
} from '@selvedge/unit-controller';
import type { Config } from '../config/index.ts';
import { createApps } from './apps.ts';

export interface UnitsDeps {
  /** Of this server among all. */
  readonly server: string;
  readonly config: Pick<Config, 'metricGate'>;
  readonly client: KubeClient;
  readonly edgeUnits: ObjectReader<EdgeUnitObject>;
  /** Names, uids, versions, labels, annotations, taints, `unschedulable` and addresses at least. */
  readonly nodes: ObjectReader<Node>;
  /** With `unitIndexers`. */
  readonly edgeNodes: ObjectReader<EdgeNodeObject>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics: MetricsRegistry;
  readonly kubeMetrics: KubeMetrics;
}

/** Makes what keeps units and UnitApps, for each time that this server leads. */
export function createUnits(deps: UnitsDeps): () => Service {
  const { server, edgeUnits: units, log, metrics, kubeMetrics } = deps;
  let known: ObjectReader<EdgeUnitObject> | undefined;
  const unitMetrics = createUnitMetrics(metrics, () => Array.from(known?.values() ?? []));
  const apps = createApps(deps);
  return () => {
    const events = createEventRecorder(
      { component: 'cloud-manager', host: server },
      { ...deps, metrics: kubeMetrics },
    );
    const controller = createUnitController({}, { ...deps, units, events, metrics: unitMetrics });
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
      { name: 'units', services: [events, controller, shown, apps(events)] },
      { log },
    );
  };
}

import { type Service, createServiceGroup } from '@selvedge/kit';
import { type EventRecorder, type ObjectReader, createObjectCaches } from '@selvedge/kube';
import {
  type UnitAppObject,
  createAppController,
  createAppMetrics,
  createMetricGateMetrics,
  followApps,
} from '@selvedge/unit-controller';
import { version } from '../version.ts';
import type { UnitsDeps } from './units-deps.ts';

const userAgent = `cloud-manager/${version}`;

/** Makes what brings UnitApps into units. What it reads is in memory only while this server leads. */
export function createApps(deps: UnitsDeps): (events: EventRecorder) => Service {
  const { edgeUnits: units, log, metrics: registry } = deps;
  let known: ObjectReader<UnitAppObject> | undefined;
  const metrics = createAppMetrics(registry, () => Array.from(known?.values() ?? []));
  const metricGateMetrics = createMetricGateMetrics(registry);
  return (events) => {
    const caches = createObjectCaches({ name: 'unit app caches' }, deps);
    const objects = followApps(caches);
    const controller = createAppController(
      { metricGate: { userAgent, servers: deps.config.metricGate.servers } },
      { ...deps, ...objects, units, events, metrics, metricGateMetrics },
    );
    const shown: Service = {
      name: 'unit app gauges',
      async start() {
        known = objects.apps;
      },
      async stop() {
        known = undefined;
      },
    };
    const services = [caches.service, controller, shown];
    return createServiceGroup({ name: 'unit apps', services }, { log });
  };
}

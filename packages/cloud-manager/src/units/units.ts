import { type Service, createServiceGroup } from '@selvedge/kit';
import { type ObjectReader, createEventRecorder } from '@selvedge/kube';
import { type EdgeUnitObject, createUnitController, createUnitMetrics } from '@selvedge/unit-controller';
import { createApps } from './apps.ts';
import type { UnitsDeps } from './units-deps.ts';

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

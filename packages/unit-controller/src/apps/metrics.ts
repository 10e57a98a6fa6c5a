import type { Counter, MetricsRegistry } from '@selvedge/kit';
import type { UnitAppObject } from '../objects.ts';

export interface AppMetrics {
  /** `what`: `create`, `apply`, `release`, `delete`, `revision`, `status`. */
  readonly writes: Counter;
  /** Clones brought to a revision. */
  readonly steps: Counter;
  /** Objects, or what the API server says to them, that made a clone impossible. */
  readonly refusals: Counter;
}

const totals = ['units', 'updated', 'healthy', 'unhealthy', 'failed', 'offline'] as const;

/** Registers the metrics; once per registry. Gauges are read from the statuses of these UnitApps. */
export function createAppMetrics(
  registry: MetricsRegistry,
  apps: () => readonly UnitAppObject[],
): AppMetrics {
  const counter = (name: string, help: string): Counter =>
    registry.counter({ name: `selvedge_unit_apps_${name}_total`, help });
  registry.sampled({ name: 'selvedge_unit_apps_apps', help: 'UnitApps.' }, () => apps().length);
  registry.sampledSeries(
    { name: 'selvedge_unit_apps_units', help: 'Units that UnitApps select, by how they fare.' },
    () =>
      totals.map((is) => ({
        labels: { is },
        value: apps().reduce((sum, { status }) => sum + (status?.totals?.[is] ?? 0), 0),
      })),
  );
  return {
    writes: counter('writes', 'Writes for UnitApps, by what.'),
    steps: counter('steps', 'Clones that were brought to a revision.'),
    refusals: counter('refusals', 'Clones that could not be made as they should be.'),
  };
}

import type { Counter, MetricsRegistry } from '@selvedge/kit';
import type { EdgeUnitObject } from './objects.ts';

export interface UnitMetrics {
  /** `what`: `edge-node`, `record`, `node`, `finalizer`, `status`. */
  readonly writes: Counter;
}

/** Registers the metrics; once per registry. Gauges are read from the statuses of these units. */
export function createUnitMetrics(
  registry: MetricsRegistry,
  units: () => readonly EdgeUnitObject[],
): UnitMetrics {
  const sum = (field: 'members' | 'settled' | 'conflicts'): number =>
    units().reduce((total, { status }) => total + (status?.counts?.[field] ?? 0), 0);
  const sampled = (name: string, help: string, read: () => number): void =>
    registry.sampled({ name: `selvedge_units_${name}`, help }, read);
  sampled('units', 'EdgeUnits.', () => units().length);
  sampled('members', 'Nodes that belong to a unit.', () => sum('members'));
  sampled('settled_members', 'Members that have all that their unit gives.', () => sum('settled'));
  sampled('conflicts', 'Nodes with a conflict, as the units count them.', () => sum('conflicts'));
  return {
    writes: registry.counter({ name: 'selvedge_units_writes_total', help: 'Writes to the API, by what.' }),
  };
}

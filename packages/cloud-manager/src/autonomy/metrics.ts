import type { Counter, MetricsRegistry } from '@selvedge/kit';
import { nodeStates } from '@selvedge/api';
import type { Fate } from './fate/index.ts';

export interface AutonomyMetrics {
  readonly moves: Counter;
  readonly renewals: Counter;
  readonly failovers: Counter;
  readonly podChanges: Counter;
  readonly testimonies: Counter;
}

/** Registers them; once per registry. `fates`: while this server leads. */
export function createAutonomyMetrics(
  metrics: MetricsRegistry,
  fates: () => Iterable<Fate>,
): AutonomyMetrics {
  const counter = (name: string, help: string): Counter =>
    metrics.counter({ name: `selvedge_autonomy_${name}`, help });
  metrics.sampledSeries(
    { name: 'selvedge_autonomy_nodes', help: 'Edge nodes by state, at the leader.' },
    () => {
      const counts = new Map<Fate['kind'], number>(nodeStates.map((state) => [state, 0]));
      for (const { kind } of fates()) counts.set(kind, (counts.get(kind) ?? 0) + 1);
      return Array.from(counts, ([state, value]) => ({ labels: { state }, value }));
    },
  );
  return {
    moves: counter('moves_total', 'Nodes that came into a state, by that state.'),
    renewals: counter('lease_renewals_total', 'Leases renewed on behalf of nodes, by outcome.'),
    failovers: counter('failovers_total', 'Decisions whether a dead node may lose its pods, by outcome.'),
    podChanges: counter('pod_changes_total', 'Pods changed: their tolerations, or Ready put back.'),
    testimonies: counter('testimonies_total', 'What nodes said about each other, by outcome.'),
  };
}

import type { MetricsRegistry } from '@selvedge/kit';
import type { Kept } from './shelf.ts';
import type { CoverageState } from './types.ts';

/** Read when they are rendered. */
export function registerCoverageMetrics(metrics: MetricsRegistry, all: () => Iterable<Kept>): void {
  const count = (matches: (kept: Kept) => boolean): number => Array.from(all()).filter(matches).length;
  const inState = (kind: CoverageState['kind']) => (): number =>
    count(({ coverage }) => coverage.state.kind === kind);
  const sampled = (name: string, help: string, read: () => number): void =>
    metrics.sampled({ name: `selvedge_hub_${name}`, help }, read);
  sampled('coverages', 'Upstream list-watches that are kept.', () => count(() => true));
  sampled('coverages_live', 'Those that follow upstream.', inState('live'));
  sampled('coverages_stale', 'Those that wait for upstream.', inState('stale'));
  sampled('coverages_suspended', 'Those that nobody may run.', inState('suspended'));
  sampled('coverages_unheld', 'Those that nobody reads.', () => count(({ holds }) => holds.size === 0));
}

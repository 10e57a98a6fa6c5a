import type { MetricsRegistry } from '@selvedge/kit';
import type { ReplicaStore } from '../../store/index.ts';
import type { Core } from './core.ts';
import type { HeldResource } from './types.ts';

export interface ReplicaMetricsDeps {
  readonly store: ReplicaStore;
  readonly metrics: MetricsRegistry;
}

export function countObjects({
  metrics,
}: ReplicaMetricsDeps): (resource: HeldResource, count: number) => void {
  const help = 'Objects held, by resource.';
  const objects = metrics.gauge({ name: 'selvedge_replica_objects', help });
  return (resource, count) => objects.set(count, { resource });
}

/** Registers what is read whenever somebody asks. */
export function sampleReplica(core: Core, { store, metrics }: ReplicaMetricsDeps): void {
  const { histories, coverages } = core.ledger;
  const sampled = (name: string, help: string, read: () => number): void =>
    metrics.sampled({ name: `selvedge_replica_${name}`, help }, read);
  sampled('history_entries', 'Recent changes that watches can resume over.', () => histories.entries);
  sampled('history_bytes', 'Their text.', () => histories.bytes);
  sampled('coverages', 'Upstream list-watches that are kept.', () => coverages.size);
  sampled('overlays', 'Objects with a local change that waits for the cloud.', () => core.overlayIndex.size);
  sampled('degraded', 'Whether the disk takes nothing, so that writes are in memory only.', () =>
    store.condition().kind === 'writing' ? 0 : 1,
  );
  sampled('salvaged', 'Whether this start found a damaged state and saved what it could.', () =>
    store.salvaged ? 1 : 0,
  );
  sampled('store_bytes', 'Bytes in use of the state file.', () => store.sizeBytes());
}

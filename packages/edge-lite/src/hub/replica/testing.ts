import { type Clock, createMetricsRegistry, silentLogger } from '@selvedge/kit';
import { seededRandom } from '@selvedge/kit/testing';
import type { KubeObject } from '@selvedge/kube';
import type { Store } from '../../store/index.ts';
import { type ReplicaDeps, type ReplicaOptions, type RunningReplica, createReplica } from './replica.ts';

/** What lies in the cloud: objects with labels, a spec and a status. */
export interface Thing extends KubeObject {
  readonly spec: number;
  readonly status: { readonly phase: string; readonly conditions: readonly object[] };
}

/** Selections of these tests: a label that is there, or nothing. */
export const matchesLabel: ReplicaDeps['matchesSelection'] = (_resource, selection, { metadata }) =>
  (selection.namespace === '' || selection.namespace === metadata.namespace) &&
  (selection.labelSelector === '' || metadata.labels?.[selection.labelSelector] !== undefined);

/** The status is the local clients', the rest is upstream's. */
export const statusOver: ReplicaDeps['rebase'] = (_resource, { current, base }) =>
  ({ ...base, status: (current as Thing).status }) as KubeObject;

export interface TestReplicaOptions extends ReplicaOptions {
  readonly clock?: Clock;
  readonly seed?: number;
}

export function createTestReplica(
  store: Store,
  options: TestReplicaOptions = {},
  deps: Partial<ReplicaDeps> = {},
): RunningReplica {
  return createReplica(options, {
    store: store.replica,
    rebase: statusOver,
    applyViews: (_resource, object) => object,
    matchesSelection: matchesLabel,
    clock: options.clock ?? { now: () => 0, sleep: () => Promise.withResolvers<void>().promise },
    random: seededRandom(options.seed ?? 1),
    log: silentLogger,
    metrics: createMetricsRegistry(),
    ...deps,
  });
}

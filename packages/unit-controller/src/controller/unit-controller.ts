import { type Clock, type Logger, type Random, type Service, createServiceGroup } from '@selvedge/kit';
import { type EventRecorder, type KubeClient, type KubeMetrics, createController } from '@selvedge/kube';
import { type ClusterReaders, ClusterView } from './cluster-view.ts';
import type { UnitMetrics } from '../metrics.ts';
import { type Queues, createFollowing } from './following.ts';
import { createNodeReconciler } from './node-reconciler.ts';
import { createUnitReconciler } from './unit-reconciler.ts';

export interface UnitControllerOptions {
  /** Changes of one unit within this time are one write of its status, in milliseconds. Default 300. */
  readonly gatherMs?: number;
  /** How often everything is looked at again, in milliseconds. Default 10 minutes. */
  readonly resyncMs?: number;
}

export interface UnitControllerDeps extends ClusterReaders {
  readonly client: Pick<KubeClient, 'create' | 'patch'>;
  readonly events: Pick<EventRecorder, 'record'>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics: UnitMetrics;
  readonly kubeMetrics: KubeMetrics;
}

/** Hubs learn from the status who is in their unit: service traffic follows a move within 2 s, all steps together. */
const defaultGatherMs = 300;
/** Nodes, or units, that wait to be looked at. */
const maxKeys = 100_000;
/** Each waits most of the time for the API server: more nodes at once join sooner, as many requests at most are under way. */
const workers = 16;

/**
 * Keeps nodes as their EdgeUnits want them, and tells in the units' statuses what has become of it. For one server at a
 * time; the stores must be in sync before it starts.
 */
export function createUnitController(options: UnitControllerOptions, deps: UnitControllerDeps): Service {
  const { units, nodes, edgeNodes, clock, random, log, kubeMetrics } = deps;
  const view = new ClusterView(deps);
  const common = {
    maxKeys,
    workers,
    ...(options.resyncMs === undefined ? {} : { resyncMs: options.resyncMs }),
  };
  const shared = { clock, random, log, metrics: kubeMetrics };
  const queues: Queues = {
    nodes: createController(
      { name: 'unit-nodes', ...common },
      {
        ...shared,
        reconcile: createNodeReconciler({ ...deps, view }),
        keys: () => new Set([...nodes.keys(), ...edgeNodes.keys()]),
      },
    ),
    units: createController(
      { name: 'units', ...common },
      { ...shared, reconcile: createUnitReconciler({ ...deps, view }), keys: () => units.keys() },
    ),
  };
  const gatherMs = options.gatherMs ?? defaultGatherMs;
  const following = createFollowing({ readers: deps, view, queues, gatherMs });
  return createServiceGroup(
    { name: 'unit controller', services: [following, queues.units, queues.nodes] },
    { log },
  );
}

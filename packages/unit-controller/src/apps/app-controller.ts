import {
  type Clock,
  type Logger,
  type Random,
  type Service,
  createLimiter,
  createServiceGroup,
} from '@selvedge/kit';
import { type EventRecorder, type KubeClient, type KubeMetrics, createController } from '@selvedge/kube';
import { type MetricGateMetrics, type MetricGateOptions, createMetricGate } from '../gate/index.ts';
import { createAppReconciler } from './app-reconciler.ts';
import { Openings, Refusals } from './facts/index.ts';
import { createFollowing } from './following.ts';
import { createHistory, createKeeper } from './keeping/index.ts';
import type { AppMetrics } from './metrics.ts';
import { Carrier, Reporter, Sweeper } from './pass/index.ts';
import { type AppReaders, AppView } from './view/index.ts';

export interface AppControllerOptions {
  /** Who asks servers of metrics, and which may be asked. */
  readonly metricGate: MetricGateOptions;
  /** Changes of one UnitApp, or of its objects, within this time are one look at it, in milliseconds. Default 1,000. */
  readonly gatherMs?: number;
  /** How often everything is looked at again, in milliseconds. Default 10 minutes. */
  readonly resyncMs?: number;
  /** Writes to objects of UnitApps at a time. Default 16. */
  readonly maxWrites?: number;
}

export interface AppControllerDeps extends AppReaders {
  readonly client: Pick<KubeClient, 'create' | 'get' | 'patch' | 'delete'>;
  readonly events: Pick<EventRecorder, 'record'>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics: AppMetrics;
  readonly metricGateMetrics: MetricGateMetrics;
  readonly kubeMetrics: KubeMetrics;
}

const defaults = { gatherMs: 1_000, maxWrites: 16 };
/** UnitApps that wait to be looked at. */
const maxKeys = 10_000;
const workers = 4;

/**
 * Brings UnitApps into their units and keeps them there. For one server at a time; the stores must be in sync before it
 * starts. All that it has to know of a rollout is in the cluster: whoever takes over goes on where it was.
 */
export function createAppController(options: AppControllerOptions, deps: AppControllerDeps): Service {
  const { apps, clock, random, log, kubeMetrics, metricGateMetrics } = deps;
  const { gatherMs = defaults.gatherMs, maxWrites = defaults.maxWrites, resyncMs } = options;
  const view = new AppView(deps);
  const limiter = createLimiter({ capacity: maxWrites });
  const metricGate = createMetricGate(options.metricGate, {
    clock,
    log,
    metrics: metricGateMetrics,
    onReading: (app) => void queue.enqueue(app, gatherMs),
  });
  const keeper = createKeeper({ ...deps, view, limiter });
  const reporter = new Reporter({ ...deps, view });
  const refusals = new Refusals();
  const parts = { ...deps, view, metricGate, keeper, reporter, refusals };
  const reconcile = createAppReconciler(
    { soonMs: gatherMs },
    {
      ...parts,
      history: createHistory(parts),
      carrier: new Carrier({ soonMs: gatherMs }, parts),
      sweeper: new Sweeper(parts),
      openings: new Openings(),
    },
  );
  const queue = createController(
    { name: 'unit-apps', maxKeys, workers, ...(resyncMs === undefined ? {} : { resyncMs }) },
    { clock, random, log, metrics: kubeMetrics, reconcile, keys: () => apps.keys() },
  );
  const following = createFollowing({ view, queue, gatherMs });
  return createServiceGroup(
    { name: 'unit app controller', services: [metricGate, following, queue] },
    { log },
  );
}

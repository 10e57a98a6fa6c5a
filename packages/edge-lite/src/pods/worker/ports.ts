import type { Clock, Logger, Random } from '@selvedge/kit';
import type { KubeMetrics } from '@selvedge/kube';
import type { Pod } from '@selvedge/kube/types';

import type { PodObserved, RuntimeHealth } from '../../runtime/index.ts';
import type { ApplyDeps } from '../apply/index.ts';
import type { ObjectSource, PodEvents, StatusSink } from '../ports.ts';
import type { Prober } from '../probes/index.ts';
import type { Verdict } from '../status/index.ts';
import type { PodMetrics } from './metrics.ts';
import type { SavedPods } from './saved.ts';

/** What the workers need to see of the runtime. */
export interface RuntimeView {
  readonly health: RuntimeHealth;
  onHealth(changed: (health: RuntimeHealth) => void): Disposable;
  onPod(changed: (uid: string) => void): Disposable;
  observe(pod: Pick<PodObserved, 'uid' | 'namespace' | 'name'>, signal: AbortSignal): Promise<PodObserved>;
  observeAll(signal: AbortSignal): Promise<readonly PodObserved[]>;
}

export interface WorkerDeps {
  readonly runtime: RuntimeView;
  readonly source: ObjectSource;
  readonly sink: StatusSink;
  readonly events: PodEvents;
  readonly apply: ApplyDeps;
  readonly prober: Pick<Prober, 'watch' | 'results' | 'subscribe' | 'quiet'>;
  readonly saved: SavedPods;
  /** The node's own addresses, that of its first family first. */
  readonly hostIPs: () => readonly string[];
  /** Whether the Node was deleted: then pods that are gone from the API are left as they are. */
  readonly nodeRemoved: () => boolean;
  /** Whether a pod may run here beside the others; `undefined` if it may. */
  readonly admit: (pod: Pod, others: readonly Pod[]) => Verdict | undefined;
  /** Uids of pods that have something left on this machine besides what the runtime holds. */
  readonly leftovers: (signal: AbortSignal) => Promise<readonly string[]>;
  /** Removes what is left of a pod that is gone: its logs. */
  readonly forget: (uid: string) => Promise<void>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics: PodMetrics;
  readonly queueMetrics: KubeMetrics;
}

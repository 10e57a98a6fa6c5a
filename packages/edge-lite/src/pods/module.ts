import { type Clock, type Logger, type MetricsRegistry, type Random, createLimiter } from '@selvedge/kit';
import type { KubeMetrics } from '@selvedge/kube';
import type { Node } from '@selvedge/kube/types';

import type { RuntimeCalls } from '../runtime/index.ts';
import { admit } from './admit/index.ts';
import { createPodBuilder } from './apply/index.ts';
import type { PodCgroups } from './cgroups/index.ts';
import { createHooks, httpGet } from './hooks/index.ts';
import { createImages } from './images/index.ts';
import { createPodLogs } from './logs/index.ts';
import type { ObjectSource, PodEvents, StatusSink } from './ports.ts';
import type { Prober } from './probes/index.ts';
import type { NodeFacts, ResourceList } from './spec/index.ts';
import type { VolumeManager } from './volumes/index.ts';
import {
  type SavedPodStore,
  type Pods,
  type RuntimeView,
  createPodMetrics,
  createPods,
  createSavedPods,
} from './worker/index.ts';

export interface PodModuleOptions {
  readonly node: NodeFacts;
  /** Pods that may run here. The kubelet: 110. */
  readonly maxPods: number;
  /** `/var/log/containers`, where log collectors look for links to logs. */
  readonly containerLogs: string;
  /** Sandboxes and containers that are made at a time. Default 8. */
  readonly maxParallelStarts?: number;
  /** Pods that the runtime is asked about at a time. Default 16. */
  readonly maxParallelLooks?: number;
  /** Images pulled at a time. Default 3. */
  readonly maxParallelPulls?: number;
  /** How often every pod is looked at although nothing happened, in milliseconds. Default one minute. */
  readonly resyncMs?: number;
  /** How often what is left of pods that are gone is looked for, in milliseconds. Default five minutes. */
  readonly sweepMs?: number;
}

export interface PodModuleDeps {
  readonly runtime: RuntimeView & RuntimeCalls;
  readonly source: ObjectSource;
  readonly sink: StatusSink;
  readonly events: PodEvents;
  readonly volumes: VolumeManager;
  readonly cgroups: PodCgroups;
  readonly prober: Prober;
  readonly store: SavedPodStore;
  /** Whether the Node was deleted: its containers stay, also when the cluster gives their pods up. */
  readonly nodeRemoved: () => boolean;
  /** The node's addresses, that of its first family first; at most one of each family. */
  readonly hostIPs: () => readonly string[];
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics: MetricsRegistry;
  readonly kubeMetrics: KubeMetrics;
}

/** The node's own object, as far as it is known. */
function ownNode(options: PodModuleOptions, source: ObjectSource): Node | undefined {
  return source.list('nodes').find(({ metadata }) => metadata.name === options.node.nodeName);
}

/** The node's allocatable resources; before the node is known its capacity is not, and nothing is limited by it. */
function allocatableOf(node: Node | undefined): ResourceList {
  return node?.status?.allocatable ?? node?.status?.capacity ?? {};
}

/**
 * Runs the pods of this node: those that `source` holds, by the runtime, reported to `sink`. Stopping it leaves every
 * container running. What it is given stays the caller's to start and stop.
 */
export function createPodModule(options: PodModuleOptions, deps: PodModuleDeps): Pods {
  const { runtime, source, events, volumes, clock } = deps;
  const node = (): Node | undefined => ownNode(options, source);
  const allocatable = (): ResourceList => allocatableOf(node());
  const logs = createPodLogs({ podLogs: options.node.podLogs, containerLogs: options.containerLogs });
  const builder = createPodBuilder(
    { node: options.node },
    { objects: source, volumes, hostIPs: deps.hostIPs, allocatable },
  );
  const images = createImages(
    { maxParallelPulls: options.maxParallelPulls ?? 3, maxBackoffs: 1000 },
    { runtime, clock },
  );
  const hooks = createHooks({ runtime, httpGet, clock });
  const starts = createLimiter({ capacity: options.maxParallelStarts ?? 8 });
  const log = deps.log.with({ module: 'pods' });
  return createPods(
    {
      maxParallelPods: options.maxPods,
      maxParallelLooks: options.maxParallelLooks ?? 16,
      resyncMs: options.resyncMs ?? 60_000,
      sweepMs: options.sweepMs ?? 300_000,
    },
    {
      ...deps,
      log,
      apply: {
        runtime,
        volumes,
        cgroups: deps.cgroups,
        builder,
        images,
        hooks,
        logs,
        events,
        clock,
        log,
        starts,
      },
      saved: createSavedPods(deps.store),
      admit: (pod, others) => admit(pod, { node: node(), others, maxPods: options.maxPods }),
      leftovers: async (signal) => {
        const found = await Promise.all([volumes.onDisk(signal), deps.cgroups.uids(signal), logs.uids()]);
        return found.flat();
      },
      forget: (uid) => logs.removePod(uid),
      metrics: createPodMetrics(deps.metrics),
      queueMetrics: deps.kubeMetrics,
    },
  );
}

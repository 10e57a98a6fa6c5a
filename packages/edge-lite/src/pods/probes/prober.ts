import {
  type Clock,
  type Logger,
  type MetricsRegistry,
  type Random,
  type Scope,
  type TaskGroup,
  aborted,
  createTaskGroup,
  isAbort,
  scoped,
} from '@selvedge/kit';

import type { ProbeVerdict } from '../plan/index.ts';
import type { PodEvents } from '../ports.ts';
import { podRef } from '../spec/index.ts';
import { createCheck } from './check.ts';
import type { Exec } from './exec-check.ts';
import { createProbeMetrics } from './metrics.ts';
import { TargetProbes, type TargetProbesDeps } from './target-probes.ts';
import type { ProbeCount, ProbeTarget, Prober } from './types.ts';

export interface ProberOptions {
  /**
   * For this long after it was made the first probes of containers are spread over their periods: after a restart of the
   * agent all containers are probed anew. Default ten seconds.
   */
  readonly spreadMs?: number;
  /** Containers that are probed at a time. Default 2,000; one more is refused with `ResourceExhausted`. */
  readonly maxTargets?: number;
}

export interface ProberDeps {
  readonly exec: Exec;
  readonly events: PodEvents;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics: MetricsRegistry;
}

interface Watched {
  readonly podUid: string;
  readonly probes: TargetProbes;
  /** Ends everything. */
  readonly scope: Scope;
  /** Ends what could have the container killed. */
  readonly alive: Scope;
  watchers: number;
}

const nothingKnown: ProbeVerdict = {};

class Probers implements Prober {
  readonly #options: Required<ProberOptions>;
  readonly #deps: ProberDeps;
  readonly #probing: TargetProbesDeps;
  readonly #tasks: TaskGroup;
  readonly #madeMs: number;
  readonly #watched = new Map<string, Watched>();
  readonly #listeners = new Set<(podUid: string) => void>();

  constructor(options: ProberOptions, deps: ProberDeps) {
    const { spreadMs = 10_000, maxTargets = 2000 } = options;
    this.#options = { spreadMs, maxTargets };
    this.#deps = deps;
    this.#probing = { ...deps, check: createCheck(deps), metrics: createProbeMetrics(deps.metrics) };
    this.#madeMs = deps.clock.monotonicMs();
    const onFailure = (error: unknown, task: string): void => {
      deps.log.error('probing of a container ended', { task, error });
    };
    this.#tasks = createTaskGroup({ name: 'probes', maxTasks: maxTargets }, { onFailure });
  }

  watch(target: ProbeTarget): Disposable {
    const own = this.#watched.get(target.containerId) ?? this.#begin(target);
    own.watchers += 1;
    let left = false;
    return {
      [Symbol.dispose]: () => {
        if (left) return;
        left = true;
        this.#leave(target.containerId, own);
      },
    };
  }

  results(containerId: string): ProbeVerdict {
    return this.#watched.get(containerId)?.probes.verdict ?? nothingKnown;
  }

  /** Two instances of a container may be watched for a moment. */
  counts(): readonly ProbeCount[] {
    const counts = new Map<string, ProbeCount>();
    for (const { probes } of this.#watched.values()) {
      for (const one of probes.counts) {
        const key = [one.podUid, one.container, one.probe, one.result].join('/');
        counts.set(key, { ...one, count: one.count + (counts.get(key)?.count ?? 0) });
      }
    }
    return [...counts.values()];
  }

  subscribe(changed: (podUid: string) => void): Disposable {
    const listener = (podUid: string): void => changed(podUid);
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  quiet(podUid: string): void {
    for (const own of this.#watched.values()) {
      if (own.podUid === podUid) own.alive.abort(aborted('liveness probes'));
    }
  }

  stop(): Promise<void> {
    return this.#tasks.stop();
  }

  #begin(target: ProbeTarget): Watched {
    const podUid = podRef(target.pod).uid;
    const { spreadMs } = this.#options;
    const young = this.#deps.clock.monotonicMs() - this.#madeMs < spreadMs;
    const changed = (): void => {
      for (const listener of this.#listeners) listener(podUid);
    };
    const probes = new TargetProbes(
      target,
      { maxFirstDelayMs: young ? spreadMs : 0, changed },
      this.#probing,
    );
    const scope = scoped(this.#tasks.signal);
    const alive = scoped(scope.signal);
    this.#tasks.run(`probes of ${target.containerId}`, async () => {
      try {
        await probes.run(scope.signal, alive.signal);
      } catch (error) {
        if (!isAbort(error)) throw error;
      }
    });
    const own: Watched = { podUid, probes, scope, alive, watchers: 0 };
    this.#watched.set(target.containerId, own);
    return own;
  }

  #leave(containerId: string, own: Watched): void {
    own.watchers -= 1;
    if (own.watchers > 0) return;
    this.#watched.delete(containerId);
    own.scope.abort(aborted('probes'));
  }
}

/** Source: https://kubernetes.io/docs/tasks/configure-pod-container/configure-liveness-readiness-startup-probes/ */
export function createProber(options: ProberOptions, deps: ProberDeps): Prober {
  return new Probers(options, deps);
}

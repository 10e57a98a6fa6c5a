import {
  type Clock,
  type Logger,
  type Service,
  type TaskGroup,
  createTaskGroup,
  isAbort,
  jittered,
  limitRepeats,
} from '@selvedge/kit';
import { type Controller, createController } from '@selvedge/kube';
import type { Pod } from '@selvedge/kube/types';

import { mayRun } from '../plan/index.ts';
import type { ObjectRef } from '../ports.ts';
import { releaseHolds } from './holds.ts';
import { createPodIndex, type PodIndex } from './pod-index.ts';
import type { WorkerDeps } from './ports.ts';
import { createPodStates, type PodState, type PodStates } from './state.ts';
import { PodWorker } from './worker.ts';

export interface PodsOptions {
  /** Pods in work at a time: one that ends takes its whole grace period, and none waits for that of another. */
  readonly maxParallelPods: number;
  /** Pods that the runtime is asked about at a time. */
  readonly maxParallelLooks: number;
  /** How often all pods are looked at although nothing happened, in milliseconds. */
  readonly resyncMs: number;
  /** How often the machine is searched for what is left of pods that are gone, in milliseconds. */
  readonly sweepMs: number;
}

/** The pods of this node. */
export interface Pods extends Service {
  /**
   * Ends all containers within `graceSeconds`, for the machine shuts down; the pods go on after it is up again. Resolves
   * when nothing runs any more, or the grace is over. Nothing is started afterwards.
   */
  halt(graceSeconds: number, signal: AbortSignal): Promise<void>;
}

interface Halt {
  /** By the monotonic clock. */
  readonly sinceMs: number;
  readonly graceSeconds: number;
}

function grace(pod: Pod | undefined): number {
  return pod?.metadata.deletionGracePeriodSeconds ?? Infinity;
}

/** A change that makes it pointless to wait for what is under way: the pod is to end, or to end sooner. */
function isUrgent(before: Pod | undefined, after: Pod | undefined): boolean {
  if (after === undefined) return true;
  if (after.metadata.deletionTimestamp === undefined) return false;
  return before?.metadata.deletionTimestamp === undefined || grace(after) < grace(before);
}

class NodePods implements Pods {
  readonly name = 'pods';
  readonly #options: PodsOptions;
  readonly #deps: WorkerDeps;
  readonly #log: Logger;
  readonly #clock: Clock;
  readonly #index: PodIndex;
  readonly #states: PodStates;
  readonly #controller: Controller;
  readonly #tasks: TaskGroup;
  readonly #subscriptions: Disposable[] = [];
  #halt: Halt | undefined;
  #hostIPs = '';

  constructor(options: PodsOptions, deps: WorkerDeps) {
    this.#options = options;
    this.#log = limitRepeats({ windowMs: 60_000 }, deps);
    this.#deps = deps;
    this.#clock = deps.clock;
    this.#index = createPodIndex(deps.source);
    this.#states = createPodStates(deps.saved);
    const { maxParallelLooks } = options;
    const worker = new PodWorker({ maxParallelLooks, halt: () => this.#halt }, deps, {
      index: this.#index,
      states: this.#states,
    });
    this.#controller = createController(
      {
        name: 'pods',
        workers: options.maxParallelPods,
        resyncMs: options.resyncMs,
        backoff: { initialMs: 500, maxMs: 10_000 },
      },
      {
        reconcile: (uid, signal) => worker.reconcile(uid, signal).finally(() => this.#countPods()),
        keys: () => this.#index.uids(),
        clock: deps.clock,
        random: deps.random,
        log: deps.log,
        metrics: deps.queueMetrics,
      },
    );
    this.#tasks = createTaskGroup(
      { name: 'pods' },
      { onFailure: (error, task) => this.#log.error('pods task failed', { task, error }) },
    );
  }

  async start(signal: AbortSignal): Promise<void> {
    const { source, runtime, prober } = this.#deps;
    this.#subscriptions.push(
      source.subscribe('pods', (ref) => this.#podChanged(ref)),
      source.subscribe('configmaps', (ref) => this.#objectChanged(ref)),
      source.subscribe('secrets', (ref) => this.#objectChanged(ref)),
      source.subscribe('services', (ref) => this.#objectChanged(ref)),
      source.subscribe('nodes', () => this.#nodeChanged()),
      runtime.onPod((uid) => this.#controller.enqueue(uid)),
      prober.subscribe((uid) => this.#controller.enqueue(uid)),
      runtime.onHealth(() => this.#enqueueAll()),
    );
    await this.#controller.start(signal);
    this.#tasks.run('sweep', (stop) => this.#sweep(stop));
  }

  async stop(): Promise<void> {
    for (const subscription of this.#subscriptions.splice(0)) subscription[Symbol.dispose]();
    await this.#tasks.stop();
    await this.#controller.stop();
    this.#states.dispose();
  }

  async halt(graceSeconds: number, signal: AbortSignal): Promise<void> {
    this.#halt = { sinceMs: this.#clock.monotonicMs(), graceSeconds };
    this.#log.info('ending all pods, the machine shuts down', { graceSeconds });
    for (const state of this.#states.all()) state.interrupt?.abort();
    this.#enqueueAll();
    const endMs = this.#clock.monotonicMs() + graceSeconds * 1000;
    while (this.#clock.monotonicMs() < endMs) {
      if (await this.#nothingRuns(signal)) return;
      await this.#clock.sleep(200, signal);
    }
  }

  /** False also while the runtime does not answer: the machine must not go down before the pods. */
  async #nothingRuns(signal: AbortSignal): Promise<boolean> {
    try {
      const observed = await this.#deps.runtime.observeAll(signal);
      return !observed.some(({ containers }) => containers.some(mayRun));
    } catch (error) {
      if (isAbort(error, signal)) throw error;
      this.#log.warn('pods not seen while they end', { error });
      return false;
    }
  }

  #enqueueAll(): void {
    for (const state of this.#states.all()) {
      state.holds.clear();
      this.#controller.enqueue(state.uid);
    }
    for (const uid of this.#index.uids()) this.#controller.enqueue(uid);
  }

  /** The node's addresses are part of every pod's status. */
  #nodeChanged(): void {
    const now = this.#deps.hostIPs().join(' ');
    if (now === this.#hostIPs) return;
    this.#hostIPs = now;
    this.#enqueueAll();
  }

  #podChanged(ref: ObjectRef): void {
    for (const uid of this.#index.changed(ref)) {
      const state = this.#states.find(uid);
      const found = this.#index.find(uid);
      if (state !== undefined) this.#noteChange(state, found.kind === 'present' ? found.pod : undefined);
      this.#controller.enqueue(uid);
    }
  }

  #noteChange(state: PodState, after: Pod | undefined): void {
    const specChanged = state.pod?.metadata.generation !== after?.metadata.generation;
    const urgent = isUrgent(state.pod, after);
    if (specChanged || urgent) state.holds.clear();
    if (urgent) state.interrupt?.abort();
  }

  /** What failed for want of an object is tried again as soon as one appears. */
  #objectChanged(ref: ObjectRef): void {
    for (const state of this.#states.all()) {
      const near = ref.resource === 'services' || state.pod?.metadata.namespace === ref.namespace;
      if (near && releaseHolds(state)) this.#controller.enqueue(state.uid);
    }
  }

  /** Looks for what is left here of pods that are gone: sandboxes, volumes, logs, documents. */
  async #sweep(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.#sweepOnce(signal);
      } catch (error) {
        if (isAbort(error, signal)) throw error;
        this.#log.warn('sweep failed', { error });
      }
      const { health } = this.#deps.runtime;
      const waitMs = health.kind === 'up' && this.#deps.source.synced('pods') ? this.#options.sweepMs : 1000;
      await this.#clock.sleep(jittered(waitMs, this.#deps.random), signal);
    }
  }

  #countPods(): void {
    const phases = [...this.#states.all()].map(({ saved }) => saved.status?.phase ?? 'Unknown');
    for (const phase of ['Pending', 'Running', 'Succeeded', 'Failed', 'Unknown']) {
      this.#deps.metrics.pods.set(phases.filter((one) => one === phase).length, { phase });
    }
  }

  async #sweepOnce(signal: AbortSignal): Promise<void> {
    const { runtime, saved, leftovers, source } = this.#deps;
    if (runtime.health.kind !== 'up' || !source.synced('pods')) return;
    const observed = await runtime.observeAll(signal);
    const here = new Set([...observed.map(({ uid }) => uid), ...saved.uids(), ...(await leftovers(signal))]);
    const known = new Set(this.#index.uids());
    for (const uid of here) {
      if (!known.has(uid)) this.#controller.enqueue(uid);
    }
  }
}

/** One worker per pod at a time; level-triggered. */
export function createPods(options: PodsOptions, deps: WorkerDeps): Pods {
  return new NodePods(options, deps);
}

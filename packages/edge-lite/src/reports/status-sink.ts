import {
  type Clock,
  type Counter,
  type Logger,
  type MetricsRegistry,
  type Random,
  type Service,
  hasCode,
} from '@selvedge/kit';
import {
  type Controller,
  type KubeClient,
  type KubeMetrics,
  compareResourceVersions,
  createController,
  resources,
  strategicMergePatch,
} from '@selvedge/kube';
import type { Pod, PodStatus } from '@selvedge/kube/types';
import type { ObjectSource, PodRef, StatusSink } from '../pods/index.ts';
import { podStatusPatch } from './pod-status-patch.ts';

export interface StatusSinkOptions {
  readonly nodeName: string;
  /** Pods with a status that is being kept; one more is refused and logged. Default 2,000. */
  readonly maxPods?: number;
}

export interface StatusSinkDeps {
  readonly client: Pick<KubeClient, 'delete' | 'get' | 'list' | 'patch'>;
  readonly source: Pick<ObjectSource, 'get' | 'subscribe'>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly kubeMetrics: KubeMetrics;
  readonly metrics: MetricsRegistry;
}

/** Delivers pod statuses; what a restart forgets, the pod module reports again. */
export interface PodStatusSink extends StatusSink, Service {}

interface Wanted {
  readonly pod: PodRef;
  readonly status: PodStatus;
  readonly terminated: boolean;
  /** The answer to our last patch, which the replica may not have seen yet. */
  readonly latest: Pod | undefined;
}

const workers = 4;
const callTimeoutMs = 30_000;
const terminalPhases: ReadonlySet<string | undefined> = new Set(['Succeeded', 'Failed']);
const versionOf = (pod: Pod): string => pod.metadata.resourceVersion ?? '';

function newer(a: Pod | undefined, b: Pod | undefined): Pod | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return compareResourceVersions(versionOf(a), versionOf(b)) < 0 ? b : a;
}

class Sink implements PodStatusSink {
  readonly name = 'pod status';
  readonly #deps: StatusSinkDeps;
  readonly #maxPods: number;
  readonly #nodeName: string;
  readonly #wanted = new Map<string, Wanted>();
  readonly #controller: Controller;
  readonly #patches: Counter;
  #subscription: Disposable | undefined;

  constructor(options: StatusSinkOptions, deps: StatusSinkDeps) {
    this.#deps = deps;
    this.#maxPods = options.maxPods ?? 2_000;
    this.#nodeName = options.nodeName;
    this.#controller = createController(
      { name: 'pod-status', workers, maxKeys: this.#maxPods, backoff: { initialMs: 200, maxMs: 30_000 } },
      {
        ...deps,
        metrics: deps.kubeMetrics,
        keys: () => this.#wanted.keys(),
        reconcile: (uid, signal) => this.#deliver(uid, signal),
      },
    );
    this.#patches = deps.metrics.counter({
      name: 'selvedge_pods_status_writes_total',
      help: 'Writes of pod statuses, by kind (patch, delete).',
    });
  }

  async start(signal: AbortSignal): Promise<void> {
    this.#subscription = this.#deps.source.subscribe('pods', ({ namespace, name }) => {
      for (const [uid, { pod }] of this.#wanted) {
        if (pod.name === name && pod.namespace === namespace) this.#controller.enqueue(uid);
      }
    });
    await this.#controller.start(signal);
  }

  async stop(): Promise<void> {
    this.#subscription?.[Symbol.dispose]();
    await this.#controller.stop();
  }

  put(pod: PodRef, status: PodStatus): void {
    this.#want(pod, status, false);
  }

  terminated(pod: PodRef, status: PodStatus): void {
    this.#want(pod, status, true);
  }

  #want(pod: PodRef, status: PodStatus, terminated: boolean): void {
    const before = this.#wanted.get(pod.uid);
    if (before === undefined && this.#wanted.size >= this.#maxPods) {
      this.#deps.log.error('too many pod statuses are kept', { pod: pod.name, max: this.#maxPods });
      return;
    }
    this.#wanted.set(pod.uid, { pod, status, terminated, latest: before?.latest });
    this.#controller.enqueue(pod.uid);
  }

  /** The last status wins: one that comes while this runs brings the key back. */
  async #deliver(uid: string, signal: AbortSignal): Promise<void> {
    const wanted = this.#wanted.get(uid);
    if (wanted === undefined) return;
    const shown = await this.#shown(wanted, signal);
    if (shown === undefined || shown.metadata.uid !== uid) {
      this.#wanted.delete(uid);
      return;
    }
    try {
      const current = await this.#patch(wanted, shown, signal);
      await this.#deleteIfDone(wanted, current, signal);
    } catch (error) {
      if (!hasCode(error, 'NotFound', 'Conflict', 'Forbidden')) throw error;
      if (await this.#stillThere(uid, signal)) throw error;
      this.#deps.log.debug('status of a pod that is gone', {
        pod: `${wanted.pod.namespace}/${wanted.pod.name}`,
        uid,
      });
    }
  }

  async #shown({ pod, latest }: Wanted, signal: AbortSignal): Promise<Pod | undefined> {
    const { namespace, name } = pod;
    const held = this.#deps.source.get<Pod>({ resource: 'pods', namespace, name });
    if (held.kind === 'present') {
      return held.object.metadata.uid === latest?.metadata.uid ? newer(held.object, latest) : held.object;
    }
    return held.kind === 'absent' ? undefined : this.#read(pod, signal);
  }

  async #patch({ pod, status }: Wanted, shown: Pod, signal: AbortSignal): Promise<Pod> {
    const body = podStatusPatch(shown, status);
    if (body === undefined) return shown;
    const patched = await this.#deps.client.patch(resources.pods, pod, {
      patch: strategicMergePatch(body),
      subresource: 'status',
      signal,
      timeoutMs: callTimeoutMs,
    });
    this.#patches.add({ kind: 'patch' });
    this.#remember(pod.uid, patched);
    return patched;
  }

  /** Only once the API server shows that the pod has ended: nobody may see it vanish while it seems to run. */
  async #deleteIfDone({ pod, terminated }: Wanted, current: Pod, signal: AbortSignal): Promise<void> {
    const asked = current.metadata.deletionTimestamp !== undefined;
    if (!terminated || !asked || !terminalPhases.has(current.status?.phase)) return;
    await this.#deps.client.delete(resources.pods, pod, {
      gracePeriodSeconds: 0,
      preconditions: { uid: pod.uid },
      signal,
      timeoutMs: callTimeoutMs,
    });
    this.#patches.add({ kind: 'delete' });
    this.#deps.log.debug('pod removed from the API', { pod: `${pod.namespace}/${pod.name}`, uid: pod.uid });
  }

  /** False when the pod is gone or another one now; then it is forgotten. */
  async #stillThere(uid: string, signal: AbortSignal): Promise<boolean> {
    const wanted = this.#wanted.get(uid);
    if (wanted === undefined) return false;
    const current = await this.#read(wanted.pod, signal);
    if (current?.metadata.uid === uid) {
      this.#remember(uid, current);
      return true;
    }
    this.#wanted.delete(uid);
    return false;
  }

  #remember(uid: string, latest: Pod): void {
    const wanted = this.#wanted.get(uid);
    if (wanted !== undefined) this.#wanted.set(uid, { ...wanted, latest });
  }

  /**
   * A node may get a pod only while the API server knows that it is bound to it, so of one that is gone it is told
   * `Forbidden`. Listing its own it always may. Source: kubernetes.io "Using Node Authorization".
   */
  async #read({ namespace, name }: PodRef, signal: AbortSignal): Promise<Pod | undefined> {
    const { client } = this.#deps;
    const options = { signal, timeoutMs: callTimeoutMs };
    try {
      return await client.get(resources.pods, { namespace, name }, options);
    } catch (error) {
      if (hasCode(error, 'NotFound')) return undefined;
      if (!hasCode(error, 'Forbidden')) throw error;
    }
    const fieldSelector = `spec.nodeName=${this.#nodeName},metadata.name=${name}`;
    const { items } = await client.list(resources.pods, { namespace, fieldSelector, ...options });
    return items.find(({ metadata }) => metadata.name === name);
  }
}

/**
 * The kubelet's status manager: one write at a time per pod, differences only, with the pod's uid as precondition,
 * tried again with backoff. Source: `pkg/kubelet/status/status_manager.go`.
 */
export function createStatusSink(options: StatusSinkOptions, deps: StatusSinkDeps): PodStatusSink {
  return new Sink(options, deps);
}

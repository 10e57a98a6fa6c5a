import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createHttp2Transport } from '@selvedge/containerd-grpc-types/client';
import { ensureAssets } from '@selvedge/hack/setup';
import { silentLogger, systemClock } from '@selvedge/kit';
import { type RecordedLine, recordingLogger } from '@selvedge/kit/testing';
import type { Pod, PodStatus } from '@selvedge/kube/types';
import { type PodObserved, createRuntime, readTail } from '../../packages/edge-lite/src/runtime/index.ts';
import { ensureImages, imageRefs } from '../bed/images/index.ts';
import { type PrivateContainerd, createPrivateContainerd } from '../bed/node/private-containerd.ts';
import { waitFor } from '../bed/wait.ts';
import { MemoryApi } from './pods-api.ts';
import { type Engine, type EnginePlace, startEngine } from './pods-engine.ts';

/** A real containerd, and engines on it one after the other. */
export class PodsWorld {
  readonly api = new MemoryApi();
  readonly containerd: PrivateContainerd;
  readonly signal = new AbortController().signal;
  readonly #lines: RecordedLine[] = [];
  #folder = '';

  private constructor(containerd: PrivateContainerd) {
    this.containerd = containerd;
  }

  static async start(version: '1.6' | '2.4'): Promise<PodsWorld> {
    const assets = await ensureAssets({
      binaries: ['containerd', 'ctr', 'runc', 'containerd-2.4', 'ctr-2.4'],
    });
    const modern = version === '2.4';
    const containerd = modern ? assets['containerd-2.4'] : assets.containerd;
    const programs = { containerd, ctr: modern ? assets['ctr-2.4'] : assets.ctr, runc: assets.runc };
    const images = await ensureImages({ names: ['pause', 'busybox'] });
    const daemon = createPrivateContainerd({ version, programs, images }, { clock: systemClock });
    const world = new PodsWorld(daemon);
    world.#folder = await mkdtemp(join(tmpdir(), 'selvedge-pods-'));
    await daemon.start(world.signal);
    return world;
  }

  async stop(): Promise<void> {
    await this.containerd.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }

  get place(): EnginePlace {
    const { endpoint, cgroup } = this.containerd;
    return { endpoint, cgroup, folder: this.#folder };
  }

  engine(): Promise<Engine> {
    const { api } = this;
    return startEngine(this.place, {
      source: api,
      sink: {
        put: (ref, status) => api.put(ref, status),
        terminated: (ref, status) => api.terminatedPod(ref, status),
      },
      events: { record: ({ name }, event) => void api.events.push({ ...event, pod: name }) },
      log: recordingLogger(this.#lines),
    });
  }

  /** All pods that the runtime holds. */
  async observe(engine: Engine): Promise<readonly PodObserved[]> {
    return engine.runtime.observeAll(this.signal);
  }

  /** Waits until the pod's status is as wanted, and returns it. */
  status(pod: Pod, what: string, wanted: (status: PodStatus) => boolean): Promise<PodStatus> {
    return this.#explained(`${pod.metadata.name}: ${what}`, pod, async () => {
      const status = this.api.statuses.get(pod.metadata.uid ?? '');
      return status !== undefined && wanted(status) ? status : undefined;
    });
  }

  /** Waits until the pod's end was reported, and returns its last status. */
  gone(pod: Pod): Promise<PodStatus> {
    return this.#explained(`end of ${pod.metadata.name}`, pod, async () =>
      this.api.terminated.get(pod.metadata.uid ?? ''),
    );
  }

  /** Waits until what the runtime holds of a pod is as wanted; `undefined`: until it holds nothing. */
  settled(
    engine: Engine,
    pod: Pod,
    wanted: ((observed: PodObserved) => boolean) | undefined,
  ): Promise<boolean> {
    return this.#explained(`${pod.metadata.name} in the runtime`, pod, async () => {
      const found = (await this.observe(engine)).find(({ uid }) => uid === pod.metadata.uid);
      return (found === undefined ? wanted === undefined : wanted?.(found) === true) ? true : undefined;
    });
  }

  /** What the runtime holds, seen without an engine. */
  async look(): Promise<readonly PodObserved[]> {
    const deps = { clock: systemClock, random: Math.random, log: silentLogger };
    const transport = createHttp2Transport({ endpoint: this.containerd.endpoint }, deps);
    try {
      return await createRuntime({}, { ...deps, transport, readTail }).observeAll(this.signal);
    } finally {
      await transport.close();
    }
  }

  /** Uids of pods that have logs or volumes. */
  async leftoverUids(): Promise<readonly string[]> {
    const logs = await readdir(join(this.#folder, 'logs'));
    const volumes = await readdir(join(this.#folder, 'pods'));
    return [...logs.map((folder) => folder.split('_')[2] ?? ''), ...volumes];
  }

  /** Where a volume of a pod that is an emptyDir lies. */
  emptyDir({ metadata }: Pod, name: string): string {
    return join(this.#folder, 'pods', metadata.uid ?? '', 'volumes/kubernetes.io~empty-dir', name);
  }

  /** The reasons of a pod's events, in order. */
  reasons(name: string): readonly string[] {
    return this.api.events.filter(({ pod }) => pod === name).map(({ reason }) => reason);
  }

  /** Deletes all pods and waits until nothing is left of them. */
  async clear(): Promise<void> {
    const pods = this.api.list('pods');
    for (const { metadata } of pods) this.api.delete(metadata.name ?? '', 0);
    await Promise.all(pods.map((pod) => this.gone(pod)));
  }

  /** Log folders, links and volumes that are left. */
  async leftovers(): Promise<readonly string[]> {
    const folders = ['logs', 'containers', 'pods'].map((name) =>
      readdir(join(this.#folder, name)).catch(() => []),
    );
    return (await Promise.all(folders)).flat();
  }

  /** Waits; the error says what was reported of the pod instead. */
  async #explained<T>(what: string, pod: Pod, look: () => Promise<T | undefined>): Promise<T> {
    try {
      return await waitFor({ what }, systemClock, look);
    } catch (cause) {
      const events = this.api.events.filter((event) => event.pod === pod.metadata.name);
      const lines = this.#lines.filter(({ level }) => level !== 'debug').slice(-10);
      const seen = { status: this.api.statuses.get(pod.metadata.uid ?? ''), events, lines };
      throw new Error(JSON.stringify(seen, undefined, 1), { cause });
    }
  }
}

export const { busybox } = imageRefs;

import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { GrpcTransport } from '@selvedge/containerd-grpc-types';
import { createHttp2Transport } from '@selvedge/containerd-grpc-types/client';
import { ensureAssets } from '@selvedge/hack/setup';
import { createMetricsRegistry, systemClock } from '@selvedge/kit';
import { type RecordedLine, recordingLogger } from '@selvedge/kit/testing';
import { createKubeMetrics } from '@selvedge/kube';
import type { Pod, PodSpec, PodStatus } from '@selvedge/kube/types';
import { createPodModule, type Pods } from '../../packages/edge-lite/src/pods/index.ts';
import type {
  Lookup,
  ObjectRef,
  ObjectSource,
  PodEvent,
  PodRef,
  SourceObjects,
  SourceResource,
} from '../../packages/edge-lite/src/pods/ports.ts';
import type { NodeFacts } from '../../packages/edge-lite/src/pods/spec/index.ts';
import type { VolumeManager } from '../../packages/edge-lite/src/pods/volumes/index.ts';
import {
  type PodObserved,
  type Runtime,
  createRuntime,
  readTail,
} from '../../packages/edge-lite/src/runtime/index.ts';
import type {
  RuntimeEntry,
  RuntimeKind,
  RuntimeRepository,
} from '../../packages/edge-lite/src/store/index.ts';
import { ensureImages, imageRefs } from '../bed/images/index.ts';
import { type PrivateContainerd, createPrivateContainerd } from '../bed/node/private-containerd.ts';
import { waitFor } from '../bed/wait.ts';

/** The API as an engine without a control plane sees it: objects in memory, and what was reported of them. */
export class MemoryApi implements ObjectSource {
  readonly statuses = new Map<string, PodStatus>();
  readonly terminated = new Map<string, PodStatus>();
  readonly events: (PodEvent & { readonly pod: string })[] = [];
  readonly #pods = new Map<string, Pod>();
  readonly #listeners = new Set<(ref: ObjectRef) => void>();
  #uids = 0;

  readonly get = <T>(ref: ObjectRef): Lookup<T> => {
    const pod: unknown = ref.resource === 'pods' ? this.#pods.get(ref.name) : undefined;
    return pod === undefined ? { kind: 'absent' } : { kind: 'present', object: pod as T };
  };

  readonly list = <R extends SourceResource>(resource: R): readonly SourceObjects[R][] => {
    const pods: readonly unknown[] = resource === 'pods' ? [...this.#pods.values()] : [];
    return pods as readonly SourceObjects[R][];
  };

  synced(): boolean {
    return true;
  }

  subscribe(resource: string, changed: (ref: ObjectRef) => void): Disposable {
    if (resource === 'pods') this.#listeners.add(changed);
    return { [Symbol.dispose]: () => void this.#listeners.delete(changed) };
  }

  follow(): Disposable {
    return { [Symbol.dispose]: () => undefined };
  }

  put(_ref: PodRef, status: PodStatus): void {
    this.statuses.set(_ref.uid, status);
  }

  /** As the API server: the object goes when its containers are gone. */
  terminatedPod(ref: PodRef, status: PodStatus): void {
    this.statuses.set(ref.uid, status);
    this.terminated.set(ref.uid, status);
    this.forget(ref.name);
  }

  create(name: string, spec: Partial<PodSpec>): Pod {
    this.#uids += 1;
    const uid = `uid-${name}-${process.pid}-${this.#uids}`;
    const creationTimestamp = new Date().toISOString();
    const pod: Pod = {
      metadata: { name, namespace: 'default', uid, generation: 1, creationTimestamp },
      spec: { containers: [], restartPolicy: 'Always', terminationGracePeriodSeconds: 1, ...spec },
    };
    this.set(pod);
    return pod;
  }

  set(pod: Pod): void {
    this.#pods.set(pod.metadata.name ?? '', pod);
    this.#tell(pod.metadata.name ?? '');
  }

  delete(name: string, graceSeconds = 1): void {
    const pod = this.#pods.get(name);
    if (pod === undefined) return;
    const deletionTimestamp = new Date(Date.now() + graceSeconds * 1000).toISOString();
    this.set({
      ...pod,
      metadata: { ...pod.metadata, deletionTimestamp, deletionGracePeriodSeconds: graceSeconds },
    });
  }

  forget(name: string): void {
    this.#pods.delete(name);
    this.#tell(name);
  }

  #tell(name: string): void {
    for (const listener of this.#listeners) listener({ resource: 'pods', namespace: 'default', name });
  }
}

/** What an engine remembers across restarts. */
export class MemoryStore implements RuntimeRepository {
  readonly #documents = new Map<string, string>();

  get<T>(kind: RuntimeKind<T>, key: string): T | undefined {
    const json = this.#documents.get(`${kind.name}/${key}`);
    return json === undefined ? undefined : (JSON.parse(json) as T);
  }

  put<T>(kind: RuntimeKind<T>, { key, document }: RuntimeEntry<T>): void {
    this.#documents.set(`${kind.name}/${key}`, JSON.stringify(document));
  }

  list<T>(kind: RuntimeKind<T>): readonly RuntimeEntry<T>[] {
    const prefix = `${kind.name}/`;
    return [...this.#documents]
      .filter(([row]) => row.startsWith(prefix))
      .map(([row, json]) => ({ key: row.slice(prefix.length), document: JSON.parse(json) as T }));
  }

  delete(kind: RuntimeKind<unknown>, key: string): boolean {
    return this.#documents.delete(`${kind.name}/${key}`);
  }
}

function noVolumes(): VolumeManager {
  return {
    name: 'no volumes',
    start: async () => undefined,
    stop: async () => undefined,
    prepare: async () => undefined,
    mounts: async () => [],
    remove: async () => undefined,
    onDisk: async () => [],
  };
}

/** One start of the engine. */
export interface Engine {
  readonly runtime: Runtime;
  readonly pods: Pods;
  readonly lines: readonly RecordedLine[];
  stop(): Promise<void>;
}

/** A real containerd, and engines on it one after the other. */
export class PodsWorld {
  readonly api = new MemoryApi();
  readonly store = new MemoryStore();
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

  transport(): GrpcTransport {
    return createHttp2Transport(
      { endpoint: this.containerd.endpoint },
      { clock: systemClock, random: Math.random, log: recordingLogger() },
    );
  }

  async engine(): Promise<Engine> {
    const log = recordingLogger(this.#lines);
    const transport = this.transport();
    const runtime = createRuntime({}, { transport, clock: systemClock, random: Math.random, log, readTail });
    const registry = createMetricsRegistry({});
    const pods = createPodModule(
      { node: this.#facts(), maxPods: 110, containerLogs: join(this.#folder, 'containers') },
      {
        runtime,
        source: this.api,
        sink: {
          put: (ref, status) => this.api.put(ref, status),
          terminated: (ref, status) => this.api.terminatedPod(ref, status),
        },
        events: { record: ({ name }, event) => void this.api.events.push({ ...event, pod: name }) },
        volumes: noVolumes(),
        cgroups: {
          start: async () => undefined,
          ensure: async () => undefined,
          remove: async () => undefined,
          uids: async () => [],
        },
        prober: {
          watch: () => ({ [Symbol.dispose]: () => undefined }),
          results: () => ({}),
          subscribe: () => ({ [Symbol.dispose]: () => undefined }),
          quiet: () => undefined,
          stop: async () => undefined,
        },
        store: this.store,
        hostIPs: () => ['192.0.2.10'],
        clock: systemClock,
        random: Math.random,
        log,
        metrics: registry,
        kubeMetrics: createKubeMetrics(registry),
      },
    );
    await runtime.start(this.signal);
    await pods.start(this.signal);
    return {
      runtime,
      pods,
      lines: log.lines,
      async stop() {
        await pods.stop();
        await runtime.stop();
        await transport.close();
      },
    };
  }

  /** All pods that the runtime holds. */
  async observe(engine: Engine): Promise<readonly PodObserved[]> {
    return engine.runtime.observeAll(this.signal);
  }

  /** Waits until the pod's status is as wanted, and returns it. */
  status(
    pod: Pod,
    what: string,
    wanted: (status: PodStatus) => boolean,
    timeoutMs = 30_000,
  ): Promise<PodStatus> {
    const options = { what: `${pod.metadata.name}: ${what}`, timeoutMs };
    return this.#explained(options, pod, async () => {
      const status = this.api.statuses.get(pod.metadata.uid ?? '');
      return status !== undefined && wanted(status) ? status : undefined;
    });
  }

  /** Waits until the pod's end was reported, and returns its last status. */
  gone(pod: Pod, timeoutMs = 30_000): Promise<PodStatus> {
    return this.#explained({ what: `end of ${pod.metadata.name}`, timeoutMs }, pod, async () =>
      this.api.terminated.get(pod.metadata.uid ?? ''),
    );
  }

  /** Waits until what the runtime holds of a pod is as wanted; `undefined`: until it holds nothing. */
  settled(
    engine: Engine,
    pod: Pod,
    wanted: ((observed: PodObserved) => boolean) | undefined,
  ): Promise<boolean> {
    const options = { what: `${pod.metadata.name} in the runtime`, timeoutMs: 30_000 };
    return this.#explained(options, pod, async () => {
      const found = (await this.observe(engine)).find(({ uid }) => uid === pod.metadata.uid);
      return (found === undefined ? wanted === undefined : wanted?.(found) === true) ? true : undefined;
    });
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

  /** Log folders and links that are left. */
  async leftovers(): Promise<readonly string[]> {
    const folders = ['logs', 'containers'].map((name) => readdir(join(this.#folder, name)).catch(() => []));
    return (await Promise.all(folders)).flat();
  }

  /** Waits; the error says what was reported of the pod instead. */
  async #explained<T>(
    options: { what: string; timeoutMs: number },
    pod: Pod,
    look: () => Promise<T | undefined>,
  ): Promise<T> {
    try {
      return await waitFor(options, systemClock, look);
    } catch (cause) {
      const events = this.api.events.filter((event) => event.pod === pod.metadata.name);
      const lines = this.#lines.filter(({ level }) => level !== 'debug').slice(-10);
      const seen = { status: this.api.statuses.get(pod.metadata.uid ?? ''), events, lines };
      throw new Error(JSON.stringify(seen, undefined, 1), { cause });
    }
  }

  #facts(): NodeFacts {
    return {
      nodeName: 'node',
      podLogs: join(this.#folder, 'logs'),
      clusterDNS: [],
      clusterDomain: 'cluster.local',
      resolver: { servers: ['192.0.2.53'], searches: [], options: [] },
      cgroup: { driver: 'cgroupfs', root: this.containerd.cgroup, version: 1 },
      memoryCapacityBytes: 8 * 2 ** 30,
      hugePageSizes: [],
      swapAccounting: false,
      seccompProfiles: join(this.#folder, 'seccomp'),
      thermalThrottlePaths: [],
    };
  }
}

export const { busybox } = imageRefs;

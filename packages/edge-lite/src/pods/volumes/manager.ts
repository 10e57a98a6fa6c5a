import { mkdir, readdir, realpath } from 'node:fs/promises';
import {
  SelvedgeError,
  createTaskGroup,
  type Clock,
  type Logger,
  type MetricsRegistry,
  type Random,
  type TaskGroup,
} from '@selvedge/kit';
import type { Mount } from '@selvedge/containerd-grpc-types';
import type { Pod } from '@selvedge/kube/types';

import type { ObjectSource, PodEvents, TokenSource } from '../ports.ts';
import { podRef, type ResourceList } from '../spec/index.ts';
import { createContainerMounts, type ContainerMounts, type ReadyVolume } from './container-mounts.ts';
import { Entries } from './entries.ts';
import { podFolder } from './layout.ts';
import { createVolumeMetrics, type VolumeMetrics } from './metrics.ts';
import type { Mounter } from './mounter.ts';
import { Refresher } from './refresher.ts';
import { removeFolder } from './remove.ts';
import { createSerial, type Serial } from './serial.ts';
import { setUpVolume, usedVolumes, type SetUpDeps } from './set-up.ts';
import { createTokens } from './tokens.ts';
import type { MountsRequest, TokenStore, VolumeManager } from './types.ts';

export interface VolumeManagerOptions {
  /** The folder of all pods: `/var/lib/selvedge/pods`. */
  readonly pods: string;
  readonly clusterDomain: string;
  /** The node's hosts file. Default `/etc/hosts`. */
  readonly hostsFile?: string;
  /** A volume that could not be brought up to date is tried again this much later. Default one minute. */
  readonly retryMs?: number;
}

export interface VolumeManagerDeps {
  readonly objects: ObjectSource;
  readonly tokens: TokenSource;
  readonly tokenStore: TokenStore;
  readonly events: PodEvents;
  /** What the node can give to pods. */
  readonly allocatable: () => ResourceList;
  readonly mounter: Mounter;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics: MetricsRegistry;
}

class Volumes implements VolumeManager {
  readonly name = 'volumes';
  readonly #options: VolumeManagerOptions;
  readonly #deps: VolumeManagerDeps;
  readonly #entries: Entries;
  readonly #serial: Serial = createSerial();
  readonly #metrics: VolumeMetrics;
  readonly #tasks: TaskGroup;
  readonly #refresher: Refresher;
  readonly #subscriptions: Disposable[] = [];
  #setUp: SetUpDeps;
  #mounts: ContainerMounts;

  constructor(options: VolumeManagerOptions, deps: VolumeManagerDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#metrics = createVolumeMetrics(deps.metrics);
    this.#entries = new Entries(deps.objects);
    const onFailure = (error: unknown, task: string): void => {
      deps.log.error('volume task failed', { task, error });
    };
    this.#tasks = createTaskGroup({ name: 'volumes' }, { onFailure });
    this.#refresher = new Refresher(
      { retryMs: options.retryMs ?? 60_000 },
      {
        ...deps,
        entries: this.#entries,
        serial: this.#serial,
        tasks: this.#tasks,
        setUp: ({ pod }, volume, signal) => setUpVolume(pod, volume, { ...this.#setUp, signal }),
      },
    );
    [this.#setUp, this.#mounts] = this.#at(options.pods);
  }

  #at(pods: string): [SetUpDeps, ContainerMounts] {
    const { clusterDomain, hostsFile = '/etc/hosts' } = this.#options;
    const shared = { ...this.#deps, metrics: this.#metrics };
    const tokens = createTokens({ ...shared, source: this.#deps.tokens, store: this.#deps.tokenStore });
    return [
      { ...shared, pods, tokens },
      createContainerMounts({ pods, clusterDomain, hostsFile }, this.#deps),
    ];
  }

  async start(signal: AbortSignal): Promise<void> {
    const { pods } = this.#options;
    await mkdir(pods, { recursive: true, mode: 0o750 });
    signal.throwIfAborted();
    // The kernel's table of mounts knows no links.
    [this.#setUp, this.#mounts] = this.#at(await realpath(pods));
    for (const resource of ['configmaps', 'secrets', 'pods'] as const) {
      const subscription = this.#deps.objects.subscribe(resource, (ref) => {
        const nowMs = this.#deps.clock.now();
        for (const entry of this.#entries.touchedBy(ref)) this.#refresher.schedule(entry, nowMs);
      });
      this.#subscriptions.push(subscription);
    }
    this.#tasks.run('refresh', (stop) => this.#refresher.run(stop));
  }

  async stop(): Promise<void> {
    for (const subscription of this.#subscriptions.splice(0)) subscription[Symbol.dispose]();
    await this.#tasks.stop();
    for (const { uid } of this.#entries.all()) this.#entries.close(uid);
  }

  prepare(pod: Pod, signal: AbortSignal): Promise<void> {
    return this.#serial.run(podRef(pod).uid, async () => {
      const entry = this.#entries.open(pod);
      entry.pod = pod;
      const ready = new Map<string, ReadyVolume>();
      let dueMs = Infinity;
      for (const volume of usedVolumes(pod)) {
        const made = await setUpVolume(pod, volume, { ...this.#setUp, signal });
        ready.set(volume.name, made);
        dueMs = Math.min(dueMs, made.dueMs ?? Infinity);
      }
      entry.ready = ready;
      this.#refresher.schedule(entry, dueMs);
    });
  }

  mounts(request: MountsRequest, signal: AbortSignal): Promise<readonly Mount[]> {
    const { uid } = podRef(request.pod);
    return this.#serial.run(uid, async () => {
      const ready = this.#entries.get(uid)?.ready;
      if (ready === undefined) {
        throw new SelvedgeError('the volumes of the pod are not prepared', { code: 'Unavailable' });
      }
      await mkdir(podFolder(this.#setUp.pods, uid).path, { recursive: true, mode: 0o750 });
      return this.#mounts(request, ready, signal);
    });
  }

  remove(podUid: string, signal: AbortSignal): Promise<void> {
    return this.#serial.run(podUid, async () => {
      this.#entries.close(podUid);
      await removeFolder(podFolder(this.#setUp.pods, podUid).path, this.#deps.mounter, signal);
      this.#deps.tokenStore.forget(podUid);
    });
  }

  async onDisk(signal: AbortSignal): Promise<readonly string[]> {
    signal.throwIfAborted();
    const entries = await readdir(this.#setUp.pods, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  }
}

/** Volumes below `options.pods`; nothing is touched before `start`. */
export function createVolumeManager(options: VolumeManagerOptions, deps: VolumeManagerDeps): VolumeManager {
  return new Volumes(options, deps);
}

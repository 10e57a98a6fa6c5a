import { mkdir, readdir, realpath } from 'node:fs/promises';
import {
  SelvedgeError,
  createTaskGroup,
  jittered,
  messageOf,
  type Clock,
  type Logger,
  type MetricsRegistry,
  type Random,
  type TaskGroup,
} from '@selvedge/kit';
import type { Mount } from '@selvedge/containerd-grpc-types';
import type { Pod } from '@selvedge/kube/types';

import type { ObjectRef, ObjectSource, PodEvents, TokenSource } from '../ports.ts';
import { podRef, volumeReferences, type ResourceList } from '../spec/index.ts';
import { createAlarm, type Alarm } from './alarm.ts';
import { createContainerMounts, type ContainerMounts, type ReadyVolume } from './container-mounts.ts';
import { podFolder } from './layout.ts';
import { createVolumeMetrics, type VolumeMetrics } from './metrics.ts';
import type { Mounter } from './mounter.ts';
import { removeFolder } from './remove.ts';
import { createSerial, type Serial } from './serial.ts';
import { isLive, setUpVolume, usedVolumes, type SetUpDeps } from './set-up.ts';
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

/** One pod whose volumes are made or being made. */
interface Entry {
  pod: Pod;
  readonly follows: readonly Disposable[];
  /** `resource/namespace/name` of what its volumes show. */
  readonly refs: ReadonlySet<string>;
  ready: ReadonlyMap<string, ReadyVolume> | undefined;
  /** When it is to be brought up to date, in milliseconds since the epoch. */
  dueMs: number;
}

const refKey = ({ resource, namespace = '', name }: ObjectRef): string => `${resource}/${namespace}/${name}`;

/** Renewals are never closer together than this, whatever a clock or a token says. */
const minDelayMs = 1000;

class Volumes implements VolumeManager {
  readonly name = 'volumes';
  readonly #options: VolumeManagerOptions;
  readonly #deps: VolumeManagerDeps;
  readonly #entries = new Map<string, Entry>();
  readonly #serial: Serial = createSerial();
  readonly #alarm: Alarm;
  readonly #metrics: VolumeMetrics;
  readonly #tasks: TaskGroup;
  readonly #subscriptions: Disposable[] = [];
  #setUp: SetUpDeps;
  #mounts: ContainerMounts;

  constructor(options: VolumeManagerOptions, deps: VolumeManagerDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#alarm = createAlarm(deps.clock);
    this.#metrics = createVolumeMetrics(deps.metrics);
    const onFailure = (error: unknown, task: string): void => {
      deps.log.error('volume task failed', { task, error });
    };
    this.#tasks = createTaskGroup({ name: 'volumes' }, { onFailure });
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
      this.#subscriptions.push(this.#deps.objects.subscribe(resource, (ref) => this.#onChange(ref)));
    }
    this.#tasks.run('refresh', (stop) => this.#refreshLoop(stop));
  }

  async stop(): Promise<void> {
    for (const subscription of this.#subscriptions.splice(0)) subscription[Symbol.dispose]();
    await this.#tasks.stop();
    for (const uid of this.#entries.keys()) this.#forget(uid);
  }

  prepare(pod: Pod, signal: AbortSignal): Promise<void> {
    const { uid } = podRef(pod);
    return this.#serial.run(uid, async () => {
      const entry = this.#entryOf(pod);
      entry.pod = pod;
      const ready = new Map<string, ReadyVolume>();
      let dueMs = Infinity;
      for (const volume of usedVolumes(pod)) {
        const made = await setUpVolume(pod, volume, { ...this.#setUp, signal });
        ready.set(volume.name, made);
        dueMs = Math.min(dueMs, made.dueMs ?? Infinity);
      }
      entry.ready = ready;
      this.#schedule(entry, dueMs);
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
      this.#forget(podUid);
      await removeFolder(podFolder(this.#setUp.pods, podUid).path, this.#deps.mounter, signal);
      this.#deps.tokenStore.forget(podUid);
    });
  }

  async onDisk(signal: AbortSignal): Promise<readonly string[]> {
    signal.throwIfAborted();
    const entries = await readdir(this.#setUp.pods, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  }

  #entryOf(pod: Pod): Entry {
    const { uid } = podRef(pod);
    const known = this.#entries.get(uid);
    if (known !== undefined) return known;
    const refs = volumeReferences(pod);
    const follows = refs.map((ref) => this.#deps.objects.follow(ref));
    const entry: Entry = { pod, follows, refs: new Set(refs.map(refKey)), ready: undefined, dueMs: Infinity };
    this.#entries.set(uid, entry);
    return entry;
  }

  #forget(uid: string): void {
    for (const follow of this.#entries.get(uid)?.follows ?? []) follow[Symbol.dispose]();
    this.#entries.delete(uid);
  }

  #schedule(entry: Entry, dueMs: number): void {
    entry.dueMs = dueMs;
    if (dueMs !== Infinity) this.#alarm.ring();
  }

  #onChange(ref: ObjectRef): void {
    for (const entry of this.#entries.values()) {
      const touched = ref.resource === 'pods' ? this.#takePod(entry, ref) : entry.refs.has(refKey(ref));
      if (touched && entry.ready !== undefined) this.#schedule(entry, this.#deps.clock.now());
    }
  }

  /** Takes the pod's new metadata for the downward API; true if there is something new. */
  #takePod(entry: Entry, ref: ObjectRef): boolean {
    const { namespace, name, uid } = podRef(entry.pod);
    if (ref.namespace !== namespace || ref.name !== name) return false;
    const found = this.#deps.objects.get<Pod>(ref);
    if (found.kind !== 'present' || podRef(found.object).uid !== uid) return false;
    const { labels, annotations } = entry.pod.metadata;
    const { metadata } = found.object;
    entry.pod = { ...entry.pod, metadata };
    return JSON.stringify([labels, annotations]) !== JSON.stringify([metadata.labels, metadata.annotations]);
  }

  async #refreshLoop(signal: AbortSignal): Promise<void> {
    for (;;) {
      const nowMs = this.#deps.clock.now();
      const due = [...this.#entries].filter(([, entry]) => entry.dueMs <= nowMs);
      for (const [uid, entry] of due) await this.#refresh(uid, entry, signal);
      const nextMs = Math.min(...Array.from(this.#entries.values(), ({ dueMs }) => dueMs));
      const waitMs = nextMs === Infinity ? undefined : Math.max(0, nextMs - this.#deps.clock.now());
      await this.#alarm.wait(waitMs, signal);
    }
  }

  #refresh(uid: string, entry: Entry, signal: AbortSignal): Promise<void> {
    return this.#serial.run(uid, async () => {
      if (this.#entries.get(uid) !== entry) return;
      entry.dueMs = Infinity;
      const { clock } = this.#deps;
      for (const volume of usedVolumes(entry.pod).filter(isLive)) {
        const dueMs = await this.#refreshVolume(entry, volume, signal);
        entry.dueMs = Math.min(entry.dueMs, Math.max(dueMs, clock.now() + minDelayMs));
      }
    });
  }

  /** When it wants to be brought up to date again. What cannot be brought up to date stays as it is. */
  async #refreshVolume(
    entry: Entry,
    volume: Parameters<typeof isLive>[0],
    signal: AbortSignal,
  ): Promise<number> {
    const { events, log, clock, random } = this.#deps;
    try {
      return (await setUpVolume(entry.pod, volume, { ...this.#setUp, signal })).dueMs ?? Infinity;
    } catch (error) {
      signal.throwIfAborted();
      const pod = podRef(entry.pod);
      log.debug('volume not brought up to date', { pod: pod.uid, volume: volume.name, error });
      events.record(pod, { type: 'Warning', reason: 'FailedMount', message: messageOf(error) });
      return clock.now() + jittered(this.#options.retryMs ?? 60_000, random);
    }
  }
}

/** Volumes below `options.pods`; nothing is touched before `start`. */
export function createVolumeManager(options: VolumeManagerOptions, deps: VolumeManagerDeps): VolumeManager {
  return new Volumes(options, deps);
}

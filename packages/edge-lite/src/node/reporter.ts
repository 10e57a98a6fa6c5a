import { type Clock, type Counter, type Logger, type Random, hasCode } from '@selvedge/kit';
import { type KubeClient, compareResourceVersions, resources, strategicMergePatch } from '@selvedge/kube';
import type { ContainerImage, Node } from '@selvedge/kube/types';
import { type DesiredStatus, type NodeOptions, desiredStatus } from './build-node.ts';
import type { ReadHost } from './host.ts';
import { nodeEvents } from './node-events.ts';
import type { NodeEvents, NodeRuntime, ShownNode } from './ports.ts';
import { statusPatch } from './status-patch.ts';

export interface ReporterDeps {
  readonly client: Pick<KubeClient, 'get' | 'patch'>;
  readonly runtime: NodeRuntime;
  readonly shown: ShownNode;
  readonly readHost: ReadHost;
  readonly events: NodeEvents;
  /** Where the kubelet's API is served, now; undefined while nobody knows. */
  readonly kubeletPort: () => number | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** `outcome`: `done`, `failed`. */
  readonly patches: Counter;
}

/** `removed`: the Node that was registered is no longer there. */
export type Reported = 'current' | 'removed';

/** The kubelet's `nodeStatusReportFrequency`: how often an unchanged status is sent. */
const reportIntervalMs = 300_000;
/** Images change rarely, and the list of them may be long. */
const imagesIntervalMs = 60_000;

/** A write that hangs is given up and tried again. The kubelet's heartbeat client has its `nodeStatusUpdateFrequency`, too. */
const timeoutMs = 10_000;

const versionOf = (node: Node): string => node.metadata.resourceVersion ?? '';

/** Brings the Node's status in the API to what the machine says. One call at a time. */
export class StatusReporter {
  readonly #options: NodeOptions;
  readonly #deps: ReporterDeps;
  #latest: Node;
  #runtimeVersion = 'containerd://Unknown';
  #images: readonly ContainerImage[] = [];
  #dueMs = -Infinity;
  #imagesDueMs = -Infinity;

  constructor(options: NodeOptions, deps: ReporterDeps, registered: Node) {
    this.#options = options;
    this.#deps = deps;
    this.#latest = registered;
  }

  /** One look at the facts and, if something is new or a report is due, one patch. */
  async report(how: { readonly shuttingDown: boolean }, signal: AbortSignal): Promise<Reported> {
    const { clock, shown } = this.#deps;
    if (shown.get().kind === 'absent' && (await this.#removed(signal))) return 'removed';
    const nowMs = clock.now();
    const before = this.#newest();
    const body = statusPatch({
      shown: before,
      desired: await this.#desired(how.shuttingDown, signal),
      nowMs,
      heartbeat: clock.monotonicMs() >= this.#dueMs,
    });
    if (body === undefined) return 'current';
    try {
      await this.#send(before, body, signal);
      return 'current';
    } catch (error) {
      signal.throwIfAborted();
      this.#deps.patches.add({ outcome: 'failed' });
      if (hasCode(error, 'NotFound', 'Conflict') && (await this.#removed(signal))) return 'removed';
      throw error;
    }
  }

  async #send(before: Node, body: object, signal: AbortSignal): Promise<void> {
    const { client, clock, random, patches, events } = this.#deps;
    const at = { name: this.#options.nodeName };
    const patch = strategicMergePatch(body);
    this.#latest = await client.patch(resources.nodes, at, {
      patch,
      subresource: 'status',
      timeoutMs,
      signal,
    });
    this.#dueMs = clock.monotonicMs() + reportIntervalMs * (1 + 0.5 * random());
    patches.add({ outcome: 'done' });
    for (const event of nodeEvents(before, this.#latest)) events.record(event);
  }

  /** The replica may lag behind our own last write. */
  #newest(): Node {
    const shown = this.#deps.shown.get();
    if (shown.kind !== 'present' || shown.object.metadata.uid !== this.#latest.metadata.uid)
      return this.#latest;
    const older = compareResourceVersions(versionOf(shown.object), versionOf(this.#latest)) < 0;
    return older ? this.#latest : shown.object;
  }

  async #desired(shuttingDown: boolean, signal: AbortSignal): Promise<DesiredStatus> {
    const { runtime, readHost, kubeletPort, clock } = this.#deps;
    const { health } = runtime;
    if (health.kind === 'up') {
      this.#runtimeVersion = `${health.version.name}://${health.version.version}`;
      this.#images = await this.#listImages(signal);
    }
    return desiredStatus(this.#options, {
      host: await readHost(),
      runtime: health,
      runtimeVersion: this.#runtimeVersion,
      images: this.#images,
      shuttingDown,
      kubeletPort: kubeletPort(),
      nowMs: clock.now(),
    });
  }

  async #listImages(signal: AbortSignal): Promise<readonly ContainerImage[]> {
    const { clock, runtime } = this.#deps;
    if (clock.monotonicMs() < this.#imagesDueMs) return this.#images;
    try {
      const images = await runtime.images(signal);
      this.#imagesDueMs = clock.monotonicMs() + imagesIntervalMs;
      return images;
    } catch (error) {
      signal.throwIfAborted();
      this.#deps.log.debug('images not listed', { error });
      return this.#images;
    }
  }

  /** Asked of the API server itself: a replica that says so may not have seen the Node yet. */
  async #removed(signal: AbortSignal): Promise<boolean> {
    const at = { name: this.#options.nodeName };
    try {
      const node = await this.#deps.client.get(resources.nodes, at, { timeoutMs, signal });
      if (node.metadata.uid !== this.#latest.metadata.uid) return true;
      this.#latest = node;
      return false;
    } catch (error) {
      if (hasCode(error, 'NotFound')) return true;
      throw error;
    }
  }
}

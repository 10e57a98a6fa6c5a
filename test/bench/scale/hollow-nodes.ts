import { type Clock, type TaskGroup, createTaskGroup } from '@selvedge/kit';
import { type KubeClient, mergePatch, microTime, resources, strategicMergePatch } from '@selvedge/kube';
import type { Node } from '@selvedge/kube/types';
import { inTurns } from './in-turns.ts';

export interface HollowNodesOptions {
  /** Between two renewals of a Lease. A kubelet's is 10 s. */
  readonly beatMs: number;
  /** After so many renewals a node reports its status, though nothing has changed. A kubelet's is 30. */
  readonly beatsPerStatus: number;
}

export interface HollowNodesDeps {
  /** With the rights of all of them. */
  readonly client: KubeClient;
  readonly clock: Clock;
}

const namespace = 'kube-node-lease';
const workers = 32;
const imagesOnEach = 20;
const timeoutMs = 20_000;

interface Beat {
  readonly name: string;
  dueMs: number;
  count: number;
}

const readyOf = (now: number): object => ({
  type: 'Ready',
  status: 'True',
  reason: 'KubeletReady',
  message: 'kubelet is posting ready status',
  lastHeartbeatTime: new Date(now).toISOString(),
});

/** About as large as that of a kubelet. */
function nodeOf(name: string, place: number, now: number): Node {
  const images = Array.from({ length: imagesOnEach }, (_, each) => ({
    names: [
      `registry.example.org/shop/app-${each}@sha256:${String(each).padStart(64, '0')}`,
      `registry.example.org/shop/app-${each}:1.${each}`,
    ],
    sizeBytes: 40_000_000 + each,
  }));
  const sound = ['MemoryPressure', 'DiskPressure', 'PIDPressure'].map((type) => ({ type, status: 'False' }));
  const address = `10.${(place >> 16) & 255}.${(place >> 8) & 255}.${place & 255}`;
  const resourcesOf = { cpu: '4', memory: '8Gi', pods: '110', 'ephemeral-storage': '64Gi' };
  const status = {
    addresses: [
      { type: 'InternalIP', address },
      { type: 'Hostname', address: name },
    ],
    capacity: resourcesOf,
    allocatable: resourcesOf,
    conditions: [...sound, readyOf(now)],
    daemonEndpoints: { kubeletEndpoint: { Port: 10_250 } },
    images,
    nodeInfo: { architecture: 'amd64', kubeletVersion: 'v1.36.3', operatingSystem: 'linux' },
  };
  const labels = {
    'kubernetes.io/hostname': name,
    'kubernetes.io/os': 'linux',
    'kubernetes.io/arch': 'amd64',
  };
  return { metadata: { name, labels }, status } as unknown as Node;
}

/**
 * Nodes without machines: each has a Node and a Lease, which it renews as long as it has a link. One client writes for
 * all of them.
 */
export class HollowNodes implements AsyncDisposable {
  readonly #options: HollowNodesOptions;
  readonly #deps: HollowNodesDeps;
  readonly #tasks: TaskGroup;
  readonly #beats: Beat[] = [];
  readonly #linked = new Set<string>();
  #at = 0;
  #lagMs = 0;
  #failed = 0;

  constructor(options: HollowNodesOptions, deps: HollowNodesDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#tasks = createTaskGroup({ name: 'hollow nodes' }, { onFailure: () => (this.#failed += 1) });
    for (let worker = 0; worker < workers; worker += 1)
      this.#tasks.run('beat', (signal) => this.#work(signal));
  }

  get names(): readonly string[] {
    return this.#beats.map(({ name }) => name);
  }

  /** How much later than due a renewal was made at most since this was last asked, and how many requests failed. */
  takeFaults(): { readonly lagMs: number; readonly failed: number } {
    const faults = { lagMs: this.#lagMs, failed: this.#failed };
    this.#lagMs = 0;
    this.#failed = 0;
    return faults;
  }

  async add(names: readonly string[]): Promise<void> {
    const { client, clock } = this.#deps;
    const { signal } = this.#tasks;
    const first = this.#beats.length;
    await inTurns(names, workers, async (name, place) => {
      await client.create(resources.nodes, nodeOf(name, first + place, clock.now()), { signal, timeoutMs });
      const spec = { holderIdentity: name, leaseDurationSeconds: 40, renewTime: microTime(clock.now()) };
      await client.create(resources.leases, { metadata: { name, namespace }, spec }, { signal, timeoutMs });
    });
    // From now on they beat in the order of their places, evenly over the time between two beats.
    this.#beats.push(...names.map((name) => ({ name, dueMs: 0, count: 0 })));
    const now = clock.monotonicMs();
    const { beatMs, beatsPerStatus } = this.#options;
    for (const [place, beat] of this.#beats.entries()) {
      beat.dueMs = now + (beatMs * place) / this.#beats.length;
      beat.count = place % beatsPerStatus;
      this.#linked.add(beat.name);
    }
    this.#at = 0;
    this.takeFaults();
  }

  cut(names: readonly string[]): void {
    for (const name of names) this.#linked.delete(name);
  }

  heal(names: readonly string[]): void {
    for (const name of names) this.#linked.add(name);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#tasks.stop();
  }

  async #work(signal: AbortSignal): Promise<void> {
    const { clock } = this.#deps;
    for (;;) {
      const beat = this.#next();
      if (beat === undefined) await clock.sleep(this.#options.beatMs / 10, signal);
      else {
        const waitMs = beat.dueMs - clock.monotonicMs();
        if (waitMs > 0) await clock.sleep(waitMs, signal);
        if (this.#linked.has(beat.name)) await this.#renew(beat, signal);
        const now = clock.monotonicMs();
        this.#lagMs = Math.max(this.#lagMs, now - beat.dueMs);
        beat.dueMs = Math.max(beat.dueMs + this.#options.beatMs, now);
      }
    }
  }

  #next(): Beat | undefined {
    const beat = this.#beats[this.#at];
    this.#at = this.#beats.length === 0 ? 0 : (this.#at + 1) % this.#beats.length;
    return beat;
  }

  async #renew(beat: Beat, signal: AbortSignal): Promise<void> {
    const { client, clock } = this.#deps;
    const { name } = beat;
    beat.count += 1;
    try {
      const patch = mergePatch({ spec: { renewTime: microTime(clock.now()) } });
      await client.patch(resources.leases, { namespace, name }, { patch, signal, timeoutMs });
      if (beat.count % this.#options.beatsPerStatus === 0) await this.#report(name, signal);
    } catch {
      signal.throwIfAborted();
      this.#failed += 1;
    }
  }

  async #report(name: string, signal: AbortSignal): Promise<void> {
    const { client, clock } = this.#deps;
    const patch = strategicMergePatch({ status: { conditions: [readyOf(clock.now())] } });
    await client.patch(resources.nodes, { name }, { patch, subresource: 'status', signal, timeoutMs });
  }
}

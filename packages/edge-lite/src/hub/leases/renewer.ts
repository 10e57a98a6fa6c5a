import {
  type Clock,
  type Counter,
  type Logger,
  type MetricsRegistry,
  type Poke,
  type Random,
  type Service,
  type TaskGroup,
  createPoke,
  createTaskGroup,
  hasCode,
  jittered,
  limitRepeats,
} from '@selvedge/kit';
import { type KubeClient, mergePatch, resourcePath, resources } from '@selvedge/kube';
import type { Upstream } from '../upstream/types.ts';
import type { LeaseMemory, Renewal } from './lease-memory.ts';
import { leaseNamespace, renewalIntervalMs } from './local-lease.ts';

export interface RenewerOptions {
  readonly nodeName: string;
  /** At most, in milliseconds. */
  readonly intervalMs: number;
}

export interface RenewerDeps {
  readonly upstream: Pick<Upstream, 'connectivity' | 'onConnectivity'>;
  /** Acts as the node. */
  readonly client: Pick<KubeClient, 'raw'>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics: MetricsRegistry;
}

const retryMs = 2_000;
const callTimeoutMs = 10_000;
const repeatWindowMs = 60_000;
const spread = 0.01;
/** The answer is read by nobody. Source: kubernetes.io "Kubernetes API Concepts", alternate representations. */
const smallestAnswer =
  'application/vnd.kubernetes.protobuf;as=PartialObjectMetadata;g=meta.k8s.io;v=v1, application/json';

/** Tells upstream what the kubelet wrote, once per interval. */
export class LeaseRenewer implements Service {
  readonly name = 'node lease';
  readonly #options: RenewerOptions;
  readonly #deps: RenewerDeps;
  readonly #memory: LeaseMemory;
  readonly #log: Logger;
  readonly #poke: Poke;
  readonly #tasks: TaskGroup;
  readonly #renewals: Counter;
  #nextMs = 0;
  #subscription: Disposable | undefined;

  constructor(options: RenewerOptions, memory: LeaseMemory, deps: RenewerDeps) {
    this.#options = options;
    this.#memory = memory;
    this.#deps = deps;
    this.#log = limitRepeats({ windowMs: repeatWindowMs }, deps);
    this.#poke = createPoke(deps.clock);
    this.#tasks = createTaskGroup(
      { name: this.name },
      { onFailure: (error) => this.#log.error('node lease failed', { error }) },
    );
    this.#renewals = deps.metrics.counter({
      name: 'selvedge_hub_lease_renewals_total',
      help: "Renewals of the node's Lease upstream, by outcome (sent, failed, gone).",
    });
  }

  async start(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    this.#subscription = this.#deps.upstream.onConnectivity(({ kind }) => {
      if (kind === 'offline') this.#memory.doubt();
      this.#poke.poke();
    });
    this.#tasks.run('renew', (inner) => this.#run(inner));
  }

  async stop(): Promise<void> {
    this.#subscription?.[Symbol.dispose]();
    await this.#tasks.stop();
  }

  /** The kubelet wrote. */
  written(): void {
    this.#poke.poke();
  }

  /** Upstream heard of it just now by another way. */
  told(): void {
    this.#schedule(this.#intervalMs());
  }

  #intervalMs(): number {
    const { local } = this.#memory;
    const { intervalMs } = this.#options;
    return local === undefined ? intervalMs : Math.min(intervalMs, renewalIntervalMs(local.lease));
  }

  #schedule(afterMs: number): void {
    const { clock, random } = this.#deps;
    this.#nextMs = clock.monotonicMs() + jittered(afterMs, random, spread);
    this.#poke.poke();
  }

  async #run(signal: AbortSignal): Promise<void> {
    for (;;) {
      await this.#poke.wait(this.#wanted() === undefined ? undefined : this.#leftMs(), signal);
      const renewal = this.#wanted();
      if (renewal !== undefined && this.#leftMs() === 0) await this.#renew(renewal, signal);
    }
  }

  #leftMs(): number {
    return Math.max(0, this.#nextMs - this.#deps.clock.monotonicMs());
  }

  #wanted(): Renewal | undefined {
    const { upstream, clock } = this.#deps;
    return upstream.connectivity.kind === 'online' ? this.#memory.wanted(clock.monotonicMs()) : undefined;
  }

  async #renew(renewal: Renewal, signal: AbortSignal): Promise<void> {
    try {
      await this.#send(renewal.patch, signal);
      this.#memory.told(renewal, this.#deps.clock.monotonicMs());
      this.#renewals.add({ outcome: 'sent' });
      this.#schedule(this.#intervalMs());
    } catch (error) {
      signal.throwIfAborted();
      const gone = hasCode(error, 'NotFound');
      this.#renewals.add({ outcome: gone ? 'gone' : 'failed' });
      this.#log.warn('node lease was not renewed', { error });
      // The kubelet's next write finds it gone and makes it anew, with the owner that it wants.
      if (gone) this.#memory.forget();
      else this.#memory.doubt();
      this.#schedule(retryMs);
    }
  }

  async #send(body: object, signal: AbortSignal): Promise<void> {
    const at = { namespace: leaseNamespace, name: this.#options.nodeName };
    const patch = mergePatch(body);
    await this.#deps.client.raw({
      method: 'PATCH',
      path: resourcePath(resources.leases, at),
      contentType: patch.type,
      accept: smallestAnswer,
      body: JSON.stringify(patch.body),
      timeoutMs: callTimeoutMs,
      signal,
    });
  }
}

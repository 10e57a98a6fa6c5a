import {
  type MetricsRegistry,
  createListeners,
  createMetricsRegistry,
  silentLogger,
  systemClock,
} from '@selvedge/kit';
import { recordingLogger, seededRandom } from '@selvedge/kit/testing';
import type { ServingPair } from '@selvedge/kit/serve';
import type { RuntimeHealth } from '../runtime/index.ts';
import { type KubeletApiDeps, createKubeletApi } from './kubelet-api.ts';
import type { KubeletApiLimits } from './limits.ts';
import type { KubeletServer } from './server.ts';
import { type TestAuthority, TestReviews, createTestAuthority } from './testing-cluster.ts';
import { TestStreaming, testPod, testPodObserved } from './testing-runtime.ts';

export interface TestKubelet extends AsyncDisposable {
  readonly server: KubeletServer;
  readonly authority: TestAuthority;
  readonly reviews: TestReviews;
  readonly streaming: TestStreaming;
  readonly metrics: MetricsRegistry;
  /** What the runtime was asked to prepare. */
  readonly prepared: object[];
  /** Where the next stream waits. */
  location: () => URL;
  health: RuntimeHealth;
  /** What it said that somebody must act on. */
  readonly errors: readonly string[];
  /** Sets the serving certificate. */
  certify(pair: ServingPair): void;
}

export interface TestKubeletOptions {
  readonly limits?: Partial<KubeletApiLimits>;
  readonly routes?: KubeletApiDeps['routes'];
  /** Default: true. */
  readonly certified?: boolean;
  /** Default: any free one. */
  readonly port?: number;
}

class Kubelet implements TestKubelet {
  readonly authority = createTestAuthority('cluster');
  readonly reviews = new TestReviews();
  readonly streaming = new TestStreaming();
  readonly metrics = createMetricsRegistry();
  readonly prepared: object[] = [];
  readonly server: KubeletServer;
  location = (): URL => this.streaming.urlOf('/stream?token=1');
  health: RuntimeHealth = { kind: 'unknown' };
  readonly #changed = createListeners<void>(silentLogger);
  readonly #log = recordingLogger();
  #serving: ServingPair | undefined;

  constructor(options: TestKubeletOptions) {
    const prepare = async (request: object): Promise<URL> => {
      this.prepared.push(request);
      return this.location();
    };
    const health = (): RuntimeHealth => this.health;
    const serving = (): ServingPair | undefined => this.#serving;
    if (options.certified !== false) this.#serving = this.authority.serve(['127.0.0.1', 'edge']);
    this.server = createKubeletApi(
      {
        nodeName: 'edge',
        address: '127.0.0.1',
        port: options.port ?? 0,
        limits: options.limits,
        config: { kubeletconfig: { maxPods: 110 }, 'edge-lite': {} },
      },
      {
        client: this.reviews,
        source: { list: (_resource, namespace) => (namespace === 'shop' ? [testPod] : []) as never },
        runtime: {
          get health() {
            return health();
          },
          observe: async () => testPodObserved,
          observeAll: async () => [testPodObserved],
          prepareExec: prepare,
          prepareAttach: prepare,
          preparePortForward: prepare,
        },
        routes: options.routes ?? [],
        pki: {
          get serving() {
            return serving();
          },
          onChange: this.#changed.add,
        },
        clusterCa: () => this.authority.certificate,
        ownAddresses: () => [],
        clock: systemClock,
        random: seededRandom(1),
        log: this.#log,
        metrics: this.metrics,
      },
    );
  }

  get errors(): readonly string[] {
    return this.#log.lines.filter(({ level }) => level === 'error').map((line) => line.text);
  }

  certify(pair: ServingPair): void {
    this.#serving = pair;
    this.#changed.tell();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.stop();
    await this.streaming.stop();
  }
}

/** Resolves once it listens, if it has a certificate. */
export async function createTestKubelet(options: TestKubeletOptions = {}): Promise<TestKubelet> {
  const kubelet = new Kubelet(options);
  await kubelet.streaming.start();
  await kubelet.server.start(new AbortController().signal);
  while (options.certified !== false && kubelet.server.port === undefined) {
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
  return kubelet;
}

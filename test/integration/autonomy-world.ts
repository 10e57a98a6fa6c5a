import { join } from 'node:path';
import { edgeNodes, edgeUnits, managerNamespace, type EdgeNode, type EdgeUnitStatus } from '@selvedge/api';
import { ensureAssets } from '@selvedge/hack/setup';
import {
  type Clock,
  type MetricsRegistry,
  type TaskGroup,
  createMetricsRegistry,
  createTaskGroup,
  systemClock,
} from '@selvedge/kit';
import { type RecordedLine, recordingLogger, seededRandom } from '@selvedge/kit/testing';
import {
  type KubeClient,
  type KubeObject,
  type Reflector,
  createIndexedStore,
  createKubeClient,
  createKubeMetrics,
  createReflector,
  defineResource,
  mergePatch,
  microTime,
  resources,
  staticCredentials,
} from '@selvedge/kube';
import type { Node, Pod, Toleration } from '@selvedge/kube/types';
import {
  type Autonomy,
  type AutonomyOptions,
  createAutonomy,
} from '../../packages/cloud-manager/src/autonomy/index.ts';
import { createKubectl } from '../bed/kubectl.ts';
import { waitFor } from '../bed/wait.ts';
import { type Cluster, startCluster } from './edge-world.ts';

const repository = join(import.meta.dirname, '../..');

export type EdgeNodeObject = KubeObject & EdgeNode;
export const edgeNodeResource = defineResource<EdgeNodeObject>(edgeNodes);
const edgeUnitResource = defineResource<KubeObject & { readonly status?: EdgeUnitStatus }>(edgeUnits);

export const { signal } = new AbortController();

/** What the stock controller waits for, and what cloud-manager takes it for. */
export const graceMs = 12_000;
const assumedGraceMs = 10_000;

export const until = <T>(
  what: string,
  look: () => Promise<T | undefined | false>,
  timeoutMs = 90_000,
): Promise<T> => waitFor({ what, timeoutMs }, systemClock, look);

const beatMs = 1_000;
const conditions = (status: string): readonly object[] => [
  { type: 'Ready', status, reason: 'KubeletReady', lastHeartbeatTime: new Date().toISOString() },
];

/** Nodes whose kubelets are this test: they renew their Leases as long as they have a link. */
export class TestNodes {
  readonly #admin: KubeClient;
  readonly #clock: Clock = systemClock;
  readonly #tasks: TaskGroup;
  readonly #linked = new Set<string>();

  constructor(admin: KubeClient) {
    this.#admin = admin;
    this.#tasks = createTaskGroup({ name: 'nodes' }, { onFailure: () => undefined });
    this.#tasks.run('beat', (inner) => this.#beat(inner));
  }

  async add(name: string): Promise<void> {
    await this.#admin.create(resources.nodes, { metadata: { name } }, { signal });
    const status = { conditions: conditions('True') };
    await this.#admin.patch(
      resources.nodes,
      { name },
      { patch: mergePatch({ status }), subresource: 'status', signal },
    );
    const spec = { holderIdentity: name, leaseDurationSeconds: 40, renewTime: microTime(Date.now()) };
    const metadata = { name, namespace: 'kube-node-lease' };
    await this.#admin.create(resources.leases, { metadata, spec }, { signal });
    this.#linked.add(name);
  }

  cut(...names: readonly string[]): void {
    for (const name of names) this.#linked.delete(name);
  }

  heal(...names: readonly string[]): void {
    for (const name of names) this.#linked.add(name);
  }

  stop(): Promise<void> {
    return this.#tasks.stop();
  }

  async #beat(inner: AbortSignal): Promise<void> {
    for (;;) {
      const patch = (): ReturnType<typeof mergePatch> =>
        mergePatch({ spec: { renewTime: microTime(Date.now()) } });
      const beats = Array.from(this.#linked, (name) =>
        this.#admin
          .patch(resources.leases, { namespace: 'kube-node-lease', name }, { patch: patch(), signal: inner })
          .catch(() => undefined),
      );
      await Promise.all(beats);
      await this.#clock.sleep(beatMs, inner);
    }
  }
}

/** One run of what the leader runs, with exactly the rights that are installed for it. */
export interface RunningAutonomy {
  readonly autonomy: Autonomy;
  readonly lines: readonly RecordedLine[];
  readonly metrics: MetricsRegistry;
  stop(): Promise<void>;
}

export class AutonomyWorld {
  readonly cluster: Cluster;
  readonly nodes: TestNodes;
  readonly #token: string;
  /** Each status of Ready that a node was seen with, after the first. */
  readonly readiness = new Map<string, string[]>();
  readonly #closers: (() => Promise<void>)[] = [];

  private constructor(cluster: Cluster, token: string) {
    this.cluster = cluster;
    this.nodes = new TestNodes(cluster.admin);
    this.#token = token;
  }

  static async start(): Promise<AutonomyWorld> {
    const { kubectl: program } = await ensureAssets({ binaries: ['kubectl'] });
    const cluster = await startCluster({
      controllerManagerFlags: [
        `--node-monitor-grace-period=${graceMs / 1_000}s`,
        '--node-monitor-period=1s',
        '--node-eviction-rate=10',
      ],
    });
    const kubectl = createKubectl({ program, kubeconfig: cluster.controlPlane.kubeconfig });
    const files = ['crds/selvedge.io_edgenodes', 'crds/selvedge.io_edgeunits', 'rbac/selvedge-cloud-manager'];
    for (const file of files) {
      await kubectl(['apply', '--server-side', '--filename', join(repository, `deploy/${file}.yaml`)]);
    }
    await kubectl(['wait', '--for=condition=Established', '--timeout=60s', 'crd', '--all']);
    const args = ['create', 'token', 'cloud-manager', '--namespace', managerNamespace, '--duration=2h'];
    const { stdout } = await kubectl(args);
    const world = new AutonomyWorld(cluster, stdout.trim());
    await world.#watchReadiness();
    // With no node that is Ready the stock controller stops to act.
    await world.nodes.add('cloud-node');
    return world;
  }

  get admin(): KubeClient {
    return this.cluster.admin;
  }

  /** As cloud-manager: its service account, a cache of EdgeNodes, and what its leader runs. */
  async run(options: Partial<AutonomyOptions> = {}): Promise<RunningAutonomy> {
    const log = recordingLogger();
    const metrics = createMetricsRegistry();
    const kubeMetrics = createKubeMetrics(metrics);
    const common = { clock: systemClock, random: seededRandom(7), log, metrics: kubeMetrics };
    const credentials = staticCredentials({
      certificateAuthority: this.cluster.controlPlane.ca,
      bearerToken: this.#token,
    });
    const client = createKubeClient(
      { servers: [this.cluster.url], userAgent: 'cloud-manager' },
      { ...common, credentials },
    );
    const store = createIndexedStore<EdgeNodeObject>();
    const reflector = createReflector({ resource: edgeNodeResource }, { ...common, client, store });
    await reflector.start(signal);
    await reflector.whenSynced(signal);
    const autonomy = createAutonomy(
      {
        policy: { kind: 'period', ms: 3_600_000 },
        gracePeriodMs: assumedGraceMs,
        witnessMs: 8_000,
        failover: { perMinute: 60, burst: 10, unitPercent: 50 },
        server: 'cloud-1',
        ...options,
      },
      { ...common, client, edgeNodes: store, kubeMetrics, metrics, isBanned: () => false },
    );
    await autonomy.start(signal);
    return {
      autonomy,
      lines: log.lines,
      metrics,
      async stop() {
        await autonomy.stop();
        await reflector.stop();
        await client.close();
      },
    };
  }

  async addEdgeNode(name: string, autonomy?: string): Promise<void> {
    await this.nodes.add(name);
    const spec = autonomy === undefined ? {} : { autonomy };
    await this.admin.create(edgeNodeResource, { metadata: { name }, spec }, { signal });
  }

  /** As the unit controller shows it. */
  async addUnit(name: string, members: readonly string[]): Promise<void> {
    await this.admin.create(edgeUnitResource, { metadata: { name } }, { signal });
    const status = { members: members.map((member) => ({ name: member })) };
    const options = { patch: mergePatch({ status }), subresource: 'status', signal };
    await this.admin.patch(edgeUnitResource, { name }, options);
  }

  /** Bound, running and ready, as its kubelet says. */
  async addPod(name: string, nodeName: string, tolerations: readonly Toleration[] = []): Promise<void> {
    const container = { name: 'c', image: 'none' };
    const spec = { nodeName, containers: [container], tolerations, terminationGracePeriodSeconds: 0 };
    await this.admin.create(resources.pods, { metadata: { name, namespace: 'default' }, spec }, { signal });
    const status = {
      phase: 'Running',
      conditions: [
        { type: 'Ready', status: 'True' },
        { type: 'ContainersReady', status: 'True' },
      ],
    };
    const options = { patch: mergePatch({ status }), subresource: 'status', signal };
    await this.admin.patch(resources.pods, { name, namespace: 'default' }, options);
  }

  node(name: string): Promise<Node> {
    return this.admin.get(resources.nodes, { name }, { signal });
  }

  pod(name: string): Promise<Pod> {
    return this.admin.get(resources.pods, { name, namespace: 'default' }, { signal });
  }

  edgeNode(name: string): Promise<EdgeNodeObject> {
    return this.admin.get(edgeNodeResource, { name }, { signal });
  }

  async state(name: string): Promise<string | undefined> {
    const { status } = await this.edgeNode(name);
    return status?.state;
  }

  async untilState(name: string, state: string): Promise<void> {
    try {
      await until(`${name} is ${state}`, async () => (await this.state(name)) === state);
    } catch (cause) {
      throw new Error(`${name} is ${(await this.state(name)) ?? 'nothing'}, not ${state}`, { cause });
    }
  }

  async taints(name: string): Promise<readonly string[]> {
    return ((await this.node(name)).spec?.taints ?? []).map(({ key, effect }) => `${key}:${effect}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.nodes.stop();
    for (const close of this.#closers) await close();
    await this.cluster[Symbol.asyncDispose]();
  }

  async #watchReadiness(): Promise<void> {
    const store = createIndexedStore<Node>();
    const metrics = createKubeMetrics(createMetricsRegistry());
    const reflector: Reflector = createReflector(
      { resource: resources.nodes },
      {
        client: this.admin,
        store,
        clock: systemClock,
        random: seededRandom(5),
        log: recordingLogger(),
        metrics,
      },
    );
    store.subscribe(({ object }) => {
      const { name = '' } = object.metadata;
      const status = object.status?.conditions?.find(({ type }) => type === 'Ready')?.status ?? 'none';
      const seen = this.readiness.get(name) ?? [];
      if (seen.at(-1) !== status) this.readiness.set(name, [...seen, status]);
    });
    await reflector.start(signal);
    this.#closers.push(() => reflector.stop());
  }
}

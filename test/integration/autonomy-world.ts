import { join } from 'node:path';
import { Readable } from 'node:stream';
import { edgeNodes, edgeUnits, managerNamespace, type EdgeNode, type EdgeUnitStatus } from '@selvedge/api';
import { ensureAssets } from '@selvedge/hack/setup';
import {
  type Clock,
  type MetricsRegistry,
  type TaskGroup,
  createMetricsRegistry,
  createTaskGroup,
  hasCode,
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
  strategicMergePatch,
} from '@selvedge/kube';
import type { Node, Pod } from '@selvedge/kube/types';
import {
  type Autonomy,
  type AutonomyOptions,
  createAutonomy,
} from '../../packages/cloud-manager/src/autonomy/index.ts';
import { createCaches } from '../../packages/cloud-manager/src/caches.ts';
import { createKubectl } from '../bed/kubectl.ts';
import { waitFor } from '../bed/wait.ts';
import { type Cluster, startCluster } from './edge-world.ts';
import { connectWith } from './kube-world.ts';

const repository = join(import.meta.dirname, '../..');

export type EdgeNodeObject = KubeObject & EdgeNode;
export const edgeNodeResource = defineResource<EdgeNodeObject>(edgeNodes);
const edgeUnitResource = defineResource<KubeObject & { readonly status?: EdgeUnitStatus }>(edgeUnits);

export const { signal } = new AbortController();

/** What cloud-manager takes the stock controller's grace for. */
const assumedGraceMs = 10_000;
/** A controller manager that waits no longer than this for a node. */
export const hurried = (graceSeconds: number): readonly string[] => [
  `--node-monitor-grace-period=${graceSeconds}s`,
  '--node-monitor-period=1s',
  '--node-eviction-rate=10',
];

export const until = <T>(
  what: string,
  look: () => Promise<T | undefined | false>,
  timeoutMs = 90_000,
): Promise<T> => waitFor({ what, timeoutMs }, systemClock, look);

const nodeUser = (node: string): { readonly username: string; readonly groups: readonly string[] } => ({
  username: `system:node:${node}`,
  groups: ['system:nodes'],
});

/** For how long pods tolerate a lost node, unless told otherwise. */
export const ownSeconds = 2;
/** How Ready of a node that was never given up was seen: before its kubelet said anything, and since. */
export const neverGivenUp = ['none', 'True'];

const beatMs = 2_000;
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
    await this.#report(name);
    const spec = { holderIdentity: name, leaseDurationSeconds: 40, renewTime: microTime(Date.now()) };
    const metadata = { name, namespace: 'kube-node-lease' };
    await this.#admin.create(resources.leases, { metadata, spec }, { signal });
    this.#linked.add(name);
  }

  cut(...names: readonly string[]): void {
    for (const name of names) this.#linked.delete(name);
  }

  /** As a kubelet does: the Lease, and what the cloud thinks of the node. */
  async heal(...names: readonly string[]): Promise<void> {
    for (const name of names) {
      this.#linked.add(name);
      await this.#report(name);
    }
  }

  stop(): Promise<void> {
    return this.#tasks.stop();
  }

  async #report(name: string): Promise<void> {
    const ready = { type: 'Ready', status: 'True', reason: 'KubeletReady' };
    const now = new Date().toISOString();
    const patch = strategicMergePatch({ status: { conditions: [{ ...ready, lastHeartbeatTime: now }] } });
    await this.#admin.patch(resources.nodes, { name }, { patch, subresource: 'status', signal });
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
  /** As the witness: whether the other's kubelet is alive. */
  say(witness: string, subject: string, alive: boolean): Promise<void>;
  stop(): Promise<void>;
}

export class AutonomyWorld {
  readonly cluster: Cluster;
  readonly nodes: TestNodes;
  readonly #token: string;
  /** Each status of Ready that a node was seen with, after the first. */
  readonly readiness = new Map<string, string[]>();
  readonly #closers: (() => Promise<void>)[] = [];
  #controls = 0;

  private constructor(cluster: Cluster, token: string) {
    this.cluster = cluster;
    this.nodes = new TestNodes(cluster.admin);
    this.#token = token;
  }

  static async start(controllerManagerFlags: readonly string[] = hurried(18)): Promise<AutonomyWorld> {
    const { kubectl: program } = await ensureAssets({ binaries: ['kubectl'] });
    const cluster = await startCluster({ controllerManagerFlags });
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

  /** As cloud-manager: its service account, its caches, and what its leader runs. */
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
    const caches = createCaches(managerNamespace, { ...common, client, kubeMetrics });
    await caches.service.start(signal);
    const autonomy = createAutonomy(
      {
        policy: { kind: 'period', ms: 3_600_000 },
        gracePeriodMs: assumedGraceMs,
        witnessMs: 8_000,
        failover: { perMinute: 60, burst: 10, unitPercent: 50 },
        server: 'cloud-1',
        ...options,
      },
      { ...common, ...caches, client, kubeMetrics, metrics, isBanned: () => false },
    );
    const witness = autonomy.witness({
      authenticate: async ({ certificate }) => nodeUser(certificate?.toString() ?? ''),
    });
    await autonomy.start(signal);
    return {
      autonomy,
      lines: log.lines,
      metrics,
      async say(who, node, alive) {
        const body = JSON.stringify({ reports: [{ node, alive, ageSeconds: 0 }] });
        const request = Object.assign(Readable.from([Buffer.from(body)]), { method: 'POST', headers: {} });
        const link = { remoteAddress: '192.0.2.1', certificate: Buffer.from(who) };
        await witness({ request, link, signal } as unknown as Parameters<typeof witness>[0]);
      },
      async stop() {
        await autonomy.stop();
        await caches.service.stop();
        await client.close();
      },
    };
  }

  /**
   * Resolves once the stock controllers have given up a node that falls silent now, and is none of ours, and have evicted
   * its pod: they would have done the same to all that fell silent before.
   */
  async stockActs(): Promise<void> {
    const name = `control-${this.#controls++}`;
    await this.nodes.add(name);
    await this.addPod(name, name, ownSeconds);
    this.nodes.cut(name);
    await until(`${name} is given up`, async () => this.readiness.get(name)?.at(-1) === 'Unknown');
    await until(`the pod of ${name} is evicted`, async () => (await this.podIfAny(name)) === undefined);
    await this.admin.delete(resources.nodes, { name }, { signal });
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

  /** Bound, running and ready, as its kubelet says; it tolerates a lost node for so long itself. */
  async addPod(name: string, nodeName: string, tolerationSeconds = ownSeconds): Promise<void> {
    const tolerations = ['not-ready', 'unreachable'].map((taint) => ({
      key: `node.kubernetes.io/${taint}`,
      operator: 'Exists',
      effect: 'NoExecute',
      tolerationSeconds,
    }));
    const containers = [{ name: 'c', image: 'none' }];
    const spec = { nodeName, containers, tolerations, terminationGracePeriodSeconds: 0 };
    await this.admin.create(resources.pods, { metadata: { name, namespace: 'default' }, spec }, { signal });
    await this.runPod(name);
  }

  async runPod(name: string): Promise<void> {
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

  /** With one pod, which is bound to that node: there is no scheduler. */
  async addStatefulSet(name: string, nodeName: string): Promise<Pod> {
    const labels = { app: name };
    const template = { metadata: { labels }, spec: { containers: [{ name: 'c', image: 'none' }] } };
    const spec = { serviceName: name, replicas: 1, selector: { matchLabels: labels }, template };
    await this.admin.create(
      resources.statefulSets,
      { metadata: { name, namespace: 'default' }, spec },
      { signal },
    );
    const pod = `${name}-0`;
    await until(`pod ${pod}`, () => this.podIfAny(pod));
    const at = { namespace: 'default', name: pod, subresource: 'binding' };
    const target = { apiVersion: 'v1', kind: 'Node', name: nodeName };
    const body = { apiVersion: 'v1', kind: 'Binding', metadata: { name: pod }, target };
    await this.admin.createSubresource(resources.pods, at, { body, signal });
    await this.runPod(pod);
    return this.pod(pod);
  }

  podIfAny(name: string): Promise<Pod | undefined> {
    return this.pod(name).catch((error: unknown) => {
      if (hasCode(error, 'NotFound')) return undefined;
      throw error;
    });
  }

  /** For how long a pod tolerates that its node is unreachable, as the stock controller finds it: the first that matches. */
  async toleratedSeconds(name: string): Promise<number | undefined> {
    const { tolerations = [] } = (await this.pod(name)).spec ?? {};
    return tolerations.find(({ key }) => key === 'node.kubernetes.io/unreachable')?.tolerationSeconds;
  }

  /** As the node itself. */
  async clientOf(name: string): Promise<KubeClient> {
    const pair = await this.cluster.controlPlane.issue({
      commonName: `system:node:${name}`,
      organizations: ['system:nodes'],
      usages: ['client'],
    });
    const clientCertificate = { certificate: pair.certificate, privateKey: pair.key };
    const certificateAuthority = this.cluster.controlPlane.ca;
    const client = connectWith(this.cluster.url, { certificateAuthority, clientCertificate });
    this.#closers.push(() => client.close());
    return client;
  }

  async allReady(): Promise<boolean> {
    const { items } = await this.admin.list(resources.nodes, { signal });
    return items.every(({ status }) =>
      status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True'),
    );
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

import { join } from 'node:path';
import { type UnitAppSpec, labels, managerNamespace, managerObjects } from '@selvedge/api';
import { ensureAssets } from '@selvedge/hack/setup';
import {
  type Clock,
  type TaskGroup,
  createMetricsRegistry,
  createServiceGroup,
  createTaskGroup,
  hasCode,
  systemClock,
} from '@selvedge/kit';
import { recordingLogger, seededRandom } from '@selvedge/kit/testing';
import {
  type KubeClient,
  type KubeObject,
  createEventRecorder,
  createKubeMetrics,
  createObjectCaches,
  mergePatch,
  resources,
} from '@selvedge/kube';
import type { Deployment, Pod } from '@selvedge/kube/types';
import {
  type MetricGateOptions,
  type UnitAppObject,
  createAppController,
  createAppMetrics,
  createMetricGateMetrics,
  edgeUnitResource,
  followApps,
  unitAppResource,
} from '@selvedge/unit-controller';
import {
  type PrivateControlPlane,
  createPrivateControlPlane,
} from '../bed/control-plane/private-control-plane.ts';
import { type Kubectl, createKubectl } from '../bed/kubectl.ts';
import { waitFor } from '../bed/wait.ts';
import { isAt } from './app-tools.ts';
import { connect, connectWith } from './kube-world.ts';
import { parseMetrics } from './metrics-text.ts';

const deploy = join(import.meta.dirname, '../../deploy');
export const { signal } = new AbortController();

/** Where all of it is. */
export const namespace = 'default';

export const until = <T>(what: string, look: () => Promise<T | undefined | false>): Promise<T> =>
  waitFor({ what, timeoutMs: 90_000 }, systemClock, look);

/** The machine's time, put forward by the tests. */
export class ShiftedClock implements Clock {
  #aheadMs = 0;
  readonly now = (): number => systemClock.now() + this.#aheadMs;
  readonly #clock: Clock = systemClock;
  readonly monotonicMs = (): number => this.#clock.monotonicMs();
  readonly sleep: Clock['sleep'] = (ms, inner) => this.#clock.sleep(ms, inner);

  forward(ms: number): void {
    this.#aheadMs += ms;
  }

  setTo(ms: number): void {
    this.#aheadMs = ms - systemClock.now();
  }
}

/** Writes, as `PATCH deployments/till-shop-1 2`: the last is the revision, if it has one. */
interface Told {
  readonly onWrite: (write: string) => void;
  readonly onAccepted: (write: string) => void;
}

const revisionIn = (body: unknown): string => {
  const { metadata } = (body ?? {}) as Partial<KubeObject>;
  return metadata?.labels?.[labels.revision] ?? '';
};

type Called = Pick<KubeClient, 'create' | 'get' | 'patch' | 'delete' | 'list' | 'watch'>;

/**
 * Tells of each write before it is sent, and when it was accepted; an error of theirs is what comes of it. What was sent is answered
 * even if a stop comes meanwhile: else nobody could tell whether it was accepted.
 */
const watched = (client: KubeClient, { onWrite, onAccepted }: Told): Called => ({
  get: (resource, at, options) => client.get(resource, at, options),
  list: (resource, options) => client.list(resource, options),
  watch: (resource, options) => client.watch(resource, options),
  async create(resource, object, options) {
    const write = `POST ${resource.plural}/${object.metadata.name}`;
    onWrite(write);
    const made = await client.create(resource, object, { ...options, signal });
    onAccepted(write);
    return made;
  },
  async patch(resource, at, options) {
    const path = [resource.plural, at.name, options.subresource].filter((part) => part !== undefined);
    const write = `PATCH ${path.join('/')} ${revisionIn(options.patch.body)}`.trim();
    onWrite(write);
    const patched = await client.patch(resource, at, { ...options, signal });
    onAccepted(write);
    return patched;
  },
  async delete(resource, at, options) {
    const write = `DELETE ${resource.plural}/${at.name}`;
    onWrite(write);
    await client.delete(resource, at, { ...options, signal });
    onAccepted(write);
  },
});

export interface ControllerOptions {
  readonly clock?: Clock;
  readonly resyncMs?: number;
  /** Default: no server may be asked. */
  readonly metricGate?: Pick<MetricGateOptions, 'servers' | 'freshMs'>;
  /** Told of each write before it is sent, and when it was accepted; an error is what comes of it. */
  readonly told?: Partial<Told>;
}

/** One run of what the leader runs for UnitApps, with exactly the rights of cloud-manager. */
export interface RunningApps extends AsyncDisposable {
  /** That were accepted, but for Events. */
  readonly writes: readonly string[];
  readonly lines: ReturnType<typeof recordingLogger>['lines'];
  /** How often a UnitApp was looked at since anything was written. */
  readonly passesSinceWrite: () => number;
}

async function run(client: KubeClient, options: ControllerOptions): Promise<RunningApps> {
  const registry = createMetricsRegistry();
  const kubeMetrics = createKubeMetrics(registry);
  const log = recordingLogger();
  const writes: string[] = [];
  let passesBefore = 0;
  const passes = (): number =>
    parseMetrics(registry.render())
      .filter(
        ({ name, labels: own }) => name === 'selvedge_kube_queue_keys_total' && own['outcome'] === 'done',
      )
      .reduce((sum, { value }) => sum + value, 0);
  const told: Told = {
    onWrite: (write) => options.told?.onWrite?.(write),
    onAccepted(write) {
      if (!/^\w+ events/.test(write)) {
        writes.push(write);
        passesBefore = passes();
      }
      options.told?.onAccepted?.(write);
    },
  };
  const clock = options.clock ?? systemClock;
  const shared = { client: watched(client, told), clock, random: seededRandom(1), log, kubeMetrics };
  const caches = createObjectCaches({ name: 'unit app caches' }, shared);
  const objects = followApps(caches);
  const units = caches.follow({ resource: edgeUnitResource });
  const events = createEventRecorder(
    { component: 'cloud-manager', host: 'cloud-1' },
    { ...shared, metrics: kubeMetrics },
  );
  const { resyncMs } = options;
  const controller = createAppController(
    {
      gatherMs: 20,
      metricGate: { userAgent: 'test', servers: [], ...options.metricGate },
      ...(resyncMs === undefined ? {} : { resyncMs }),
    },
    {
      ...shared,
      ...objects,
      units,
      events,
      metrics: createAppMetrics(registry, () => Array.from(objects.apps.values())),
      metricGateMetrics: createMetricGateMetrics(registry),
    },
  );
  const group = createServiceGroup({ name: 'test', services: [events, caches.service, controller] }, { log });
  await group.start(signal);
  return {
    writes,
    lines: log.lines,
    passesSinceWrite: () => passes() - passesBefore,
    [Symbol.asyncDispose]: () => group.stop(),
  };
}

/** A cluster with the stock controllers of workloads, whose pods are run by a test: nothing schedules them. */
export class AppWorld implements AsyncDisposable {
  readonly controlPlane: PrivateControlPlane;
  readonly admin: KubeClient;
  readonly kubectl: Kubectl;
  readonly #clients: KubeClient[] = [];
  readonly #clock: Clock = systemClock;
  readonly #tasks: TaskGroup;
  /** Units whose kubelets run no pods. */
  readonly #idle = new Set<string>();

  private constructor(controlPlane: PrivateControlPlane, admin: KubeClient, kubectl: Kubectl) {
    this.controlPlane = controlPlane;
    this.admin = admin;
    this.kubectl = kubectl;
    this.#tasks = createTaskGroup({ name: 'kubelets' }, { onFailure: () => undefined });
    this.#tasks.run('pods', (inner) => this.#runPods(inner));
  }

  static async start(): Promise<AppWorld> {
    const assets = await ensureAssets({
      binaries: ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kubectl'],
    });
    const controlPlane = createPrivateControlPlane(
      {
        programs: { etcd: assets.etcd, apiServer: assets['kube-apiserver'] },
        controllerManager: { program: assets['kube-controller-manager'] },
      },
      { clock: systemClock },
    );
    await controlPlane.start(signal);
    const { client: admin } = await connect(controlPlane.kubeconfig);
    const kubectl = createKubectl({ program: assets.kubectl, kubeconfig: controlPlane.kubeconfig });
    await kubectl(['apply', '--server-side', '--kustomize', join(deploy, 'crds')]);
    const rights = { apiVersion: 'v1', kind: 'List', items: managerObjects };
    await kubectl(['apply', '--server-side', '--filename=-'], { input: JSON.stringify(rights) });
    await kubectl(['wait', '--for=condition=Established', '--timeout=60s', 'crd', '--all']);
    return new AppWorld(controlPlane, admin, kubectl);
  }

  async run(options: ControllerOptions = {}): Promise<RunningApps> {
    const commonName = `system:serviceaccount:${managerNamespace}:cloud-manager`;
    const pair = await this.controlPlane.issue({ commonName, organizations: [], usages: ['client'] });
    const clientCertificate = { certificate: pair.certificate, privateKey: pair.key };
    const credentials = { certificateAuthority: this.controlPlane.ca, clientCertificate };
    const client = connectWith(`https://127.0.0.1:${this.controlPlane.port}`, credentials);
    this.#clients.push(client);
    return run(client, options);
  }

  async addUnit(name: string, own: Readonly<Record<string, string>> = {}, spec: object = {}): Promise<void> {
    const metadata = { name, labels: own };
    await this.admin.create(edgeUnitResource, { metadata, spec }, { signal });
    await this.link(name, true);
  }

  /** As the unit-controller and autonomy would tell. */
  async link(name: string, isConnected: boolean): Promise<void> {
    this.kubelets(name, isConnected);
    const members = [{ name: `${name}-node`, state: isConnected ? 'Connected' : 'Autonomous' }];
    const patch = mergePatch({ status: { members } });
    await this.admin.patch(edgeUnitResource, { name }, { patch, subresource: 'status', signal });
  }

  /** Whether they run the pods that are new to the unit. */
  kubelets(unit: string, areRunning: boolean): void {
    if (areRunning) this.#idle.delete(unit);
    else this.#idle.add(unit);
  }

  createApp(name: string, spec: UnitAppSpec): Promise<UnitAppObject> {
    return this.admin.create(unitAppResource, { metadata: { name, namespace }, spec }, { signal });
  }

  changeApp(name: string, spec: object): Promise<UnitAppObject> {
    const patch = mergePatch({ spec });
    return this.admin.patch(unitAppResource, { namespace, name }, { patch, signal });
  }

  app(name: string): Promise<UnitAppObject> {
    return this.admin.get(unitAppResource, { namespace, name }, { signal });
  }

  /** The UnitApp, once its rollout is in that state. */
  reached(name: string, state: string): Promise<UnitAppObject> {
    return until(`${name} ${state}`, async () => {
      const app = await this.app(name);
      return isAt(app, state) && app;
    });
  }

  /** Somebody changes something that means nothing: it is looked at again. */
  async poke(name: string): Promise<void> {
    const patch = mergePatch({ metadata: { annotations: { poked: String(systemClock.now()) } } });
    await this.admin.patch(unitAppResource, { namespace, name }, { patch, signal });
  }

  async deployment(name: string): Promise<Deployment | undefined> {
    try {
      return await this.admin.get(resources.deployments, { namespace, name }, { signal });
    } catch (error) {
      if (hasCode(error, 'NotFound')) return undefined;
      throw error;
    }
  }

  /** The stock controllers and the kubelets have nothing more to do. */
  async isAtRest(): Promise<boolean> {
    const { items } = await this.admin.list(resources.deployments, {
      namespace,
      labelSelector: labels.unitApp,
      signal,
    });
    return items.every(({ metadata, spec, status = {} }) => {
      const { replicas = 0, updatedReplicas = 0, availableReplicas = 0 } = status;
      const counts = [replicas, updatedReplicas, availableReplicas];
      return (
        status.observedGeneration === metadata.generation && counts.every((count) => count === spec?.replicas)
      );
    });
  }

  async events(name: string): Promise<readonly string[]> {
    const fieldSelector = `involvedObject.name=${name}`;
    const { items } = await this.admin.list(resources.events, { namespace, fieldSelector, signal });
    return items.map(({ reason, message }) => `${reason} ${message}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#tasks.stop();
    await Promise.all([...this.#clients, this.admin].map((client) => client.close()));
    await this.controlPlane.stop();
  }

  /** Each pod is Ready at once, unless its image is bad or its unit's kubelets run none. */
  async #runPods(inner: AbortSignal): Promise<void> {
    for (;;) {
      // The API server may be away.
      await this.#runNewPods(inner).catch(() => undefined);
      await this.#clock.sleep(50, inner);
    }
  }

  async #runNewPods(inner: AbortSignal): Promise<void> {
    const labelSelector = labels.unitApp;
    const { items } = await this.admin.list(resources.pods, { namespace, labelSelector, signal: inner });
    await Promise.all(items.filter((pod) => this.#isToRun(pod)).map((pod) => this.#runPod(pod, inner)));
  }

  #isToRun({ metadata, spec, status }: Pod): boolean {
    const isReady = status?.conditions?.some(({ type }) => type === 'Ready') ?? false;
    const isBad = spec?.containers.some(({ image = '' }) => image.includes('bad')) ?? false;
    return !isReady && !isBad && !this.#idle.has(metadata.labels?.[labels.unit] ?? '');
  }

  async #runPod({ metadata }: Pod, inner: AbortSignal): Promise<void> {
    const ready = { type: 'Ready', status: 'True', lastTransitionTime: '2026-01-01T00:00:00Z' };
    const patch = mergePatch({ status: { phase: 'Running', conditions: [ready] } });
    const at = { namespace, name: metadata.name ?? '' };
    await this.admin
      .patch(resources.pods, at, { patch, subresource: 'status', signal: inner })
      .catch(() => undefined);
  }
}

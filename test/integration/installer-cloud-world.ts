import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { managerNamespace } from '@selvedge/api';
import { ensureAssets } from '@selvedge/hack/setup';
import type { CloudOptions, Progress } from '@selvedge/installer';
import {
  type CloudDeps,
  type CloudPlan,
  applyCloud,
  lookAtCloud,
  lookAtCloudUndo,
  planCloud,
  planCloudUndo,
  undoCloud,
} from '@selvedge/installer/testing';
import { SelvedgeError, hasCode, systemClock } from '@selvedge/kit';
import {
  type KubeClient,
  type KubeObject,
  type Resource,
  defineResource,
  isObject,
  resources,
} from '@selvedge/kube';
import { type Helm, createHelm } from '../bed/helm.ts';
import { connect, startControlPlane } from './kube-world.ts';

export const options: CloudOptions = {
  tunnelServers: [{ host: 'tunnel.example.com', port: 443 }],
  mode: 'deployment',
  dns: true,
  values: {},
};

export const corefile = `.:53 {
    errors
    kubernetes cluster.local in-addr.arpa ip6.arpa {
       pods insecure
    }
    reload
}
`;

export const silent: Progress = {
  task: (_title, work) => work(silent),
  note: () => undefined,
};

const timeouts = { readyMs: 60_000, apiServerMs: 60_000, takenBackMs: 60_000 };

export interface CloudWorld extends AsyncDisposable {
  readonly cluster: KubeClient;
  /** A file. */
  readonly kubeconfig: string;
  readonly deps: CloudDeps;
  readonly helm: Helm;
  /** With another client. */
  through(cluster: KubeClient): CloudDeps;
}

/** An API server with a CoreDNS's Corefile; Deployments are ready as soon as they are there. */
export async function startCloudWorld(): Promise<CloudWorld> {
  const stack = new AsyncDisposableStack();
  const controlPlane = await startControlPlane();
  stack.defer(() => controlPlane.stop());
  const { client: cluster } = stack.use(await connect(controlPlane.kubeconfig));
  const folder = await mkdtemp(`${tmpdir()}/installer-cloud-`);
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const { helm: program } = await ensureAssets({ binaries: ['helm'] });
  const { signal } = new AbortController();
  const metadata = { name: 'coredns', namespace: 'kube-system' };
  await cluster.create(resources.configMaps, { metadata, data: { Corefile: corefile } }, { signal });
  const through = (client: KubeClient): CloudDeps => ({
    cluster: client,
    hosts: { open: () => Promise.reject(new SelvedgeError('no machine here', { code: 'Unavailable' })) },
    artifacts: { cloudManager: () => Promise.reject(new SelvedgeError('no release', { code: 'NotFound' })) },
    progress: silent,
    clock: systemClock,
    random: Math.random,
    version: '0.0.0',
    signal,
    timeouts,
  });
  return {
    cluster,
    kubeconfig: controlPlane.kubeconfig,
    deps: through(rollingOut(cluster)),
    helm: createHelm({ program, kubeconfig: controlPlane.kubeconfig, folder }),
    through: (client) => through(rollingOut(client)),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

/** Stands for the controllers and nodes that there are not: what a Deployment wants is there. */
function rollingOut(client: KubeClient): KubeClient {
  return withMethods(client, {
    async get(resource, at, call) {
      const object = await client.get(resource, at, call);
      if (resource.plural !== 'deployments') return object;
      const { generation: observedGeneration } = object.metadata;
      return { ...object, status: { observedGeneration, updatedReplicas: 9, availableReplicas: 9 } };
    },
  });
}

/** The client with some of its methods in place of its own. */
export function withMethods(client: KubeClient, methods: Partial<KubeClient>): KubeClient {
  return new Proxy(client, {
    get(target, name) {
      const other: unknown = Reflect.get(methods, name);
      if (other !== undefined) return other;
      const own: unknown = Reflect.get(target, name, target);
      return typeof own === 'function' ? own.bind(target) : own;
    },
  });
}

/** Looks, plans, and does it. */
export async function convertCloud(deps: CloudDeps, chosen = options): Promise<CloudPlan> {
  const plan = planCloud(chosen, await lookAtCloud(chosen, deps));
  await applyCloud(plan, deps);
  return plan;
}

export async function revertCloud(deps: CloudDeps, keepData = false): Promise<void> {
  await undoCloud(planCloudUndo({ keepData }, await lookAtCloudUndo(deps)), deps);
}

/** Without a controller manager nobody ends a namespace that is deleted. */
export async function endNamespace({ cluster }: CloudWorld): Promise<void> {
  const { signal } = new AbortController();
  const namespace = managerNamespace;
  const found = await cluster
    .get(resources.namespaces, { name: namespace }, { signal })
    .catch(() => undefined);
  if (found?.metadata.deletionTimestamp === undefined) return;
  for (const resource of Object.values<Resource<KubeObject>>(resources)) {
    if (!resource.namespaced || resource.plural === 'events') continue;
    await cluster.deleteCollection(resource, { namespace, signal });
  }
  const body = { metadata: { name: namespace }, spec: { finalizers: [] } };
  const path = `/api/v1/namespaces/${namespace}/finalize`;
  await cluster.raw({ method: 'PUT', path, body: JSON.stringify(body), signal });
}

interface Discovered {
  readonly resources: readonly {
    readonly name: string;
    readonly kind: string;
    readonly namespaced: boolean;
    readonly verbs: readonly string[];
  }[];
}

/** What changes by itself. */
const busy = ['events', 'leases', 'componentstatuses', 'apiservices', 'endpoints', 'ipaddresses'];

function contentOf(object: KubeObject): string {
  const { name, namespace, labels, annotations, finalizers } = object.metadata;
  const { metadata: _metadata, status: _status, ...rest }: Record<string, unknown> = { ...object };
  return JSON.stringify({ name, namespace, labels, annotations, finalizers, rest }, (_key, value: unknown) =>
    isObject(value)
      ? Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );
}

async function versionsOf(cluster: KubeClient): Promise<readonly string[]> {
  const { signal } = new AbortController();
  const answer = await cluster.raw({ method: 'GET', path: '/apis', signal });
  const { groups } = JSON.parse(answer.body.toString()) as {
    readonly groups: readonly { readonly preferredVersion: { readonly groupVersion: string } }[];
  };
  return ['v1', ...groups.map(({ preferredVersion }) => preferredVersion.groupVersion)];
}

/** What goes away just now is not there. */
async function orNone<T>(work: Promise<readonly T[]>): Promise<readonly T[]> {
  try {
    return await work;
  } catch (error) {
    if (hasCode(error, 'NotFound', 'Unsupported')) return [];
    throw error;
  }
}

async function kindsOf(cluster: KubeClient, apiVersion: string): Promise<Discovered['resources']> {
  const { signal } = new AbortController();
  const path = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const answer = await cluster.raw({ method: 'GET', path, signal });
  return (JSON.parse(answer.body.toString()) as Discovered).resources;
}

/** All objects of a cluster by what they say, without what the API server alone writes. */
export async function allObjects(cluster: KubeClient): Promise<readonly string[]> {
  const { signal } = new AbortController();
  const found: string[] = [];
  for (const apiVersion of await versionsOf(cluster)) {
    for (const { name, kind, namespaced, verbs } of await orNone(kindsOf(cluster, apiVersion))) {
      if (name.includes('/') || !verbs.includes('list') || busy.includes(name)) continue;
      const resource = defineResource({ apiVersion, kind, plural: name, namespaced });
      const items = await orNone(cluster.listAll(resource, { signal }).then((list) => list.items));
      found.push(...items.map((one) => `${kind} ${contentOf(one)}`));
    }
  }
  return found.toSorted();
}

import { join } from 'node:path';
import { managerNamespace, managerObjects } from '@selvedge/api';
import { ensureAssets } from '@selvedge/hack/setup';
import { createMetricsRegistry, createServiceGroup, hasCode, systemClock } from '@selvedge/kit';
import { recordingLogger, seededRandom } from '@selvedge/kit/testing';
import {
  type KubeClient,
  createEventRecorder,
  createKubeMetrics,
  createObjectCaches,
  resources,
} from '@selvedge/kube';
import type { Event, Node } from '@selvedge/kube/types';
import {
  type EdgeNodeObject,
  type EdgeUnitObject,
  createUnitController,
  createUnitMetrics,
  edgeNodeResource,
  edgeUnitResource,
  unitIndexers,
} from '@selvedge/unit-controller';
import type { PrivateControlPlane } from '../bed/control-plane/private-control-plane.ts';
import { type Kubectl, createKubectl } from '../bed/kubectl.ts';
import { waitFor } from '../bed/wait.ts';
import { connect, connectWith, startControlPlane } from './kube-world.ts';
import { parseMetrics } from './metrics-text.ts';

const deploy = join(import.meta.dirname, '../../deploy');
export const { signal } = new AbortController();

/** One run of the unit-controller, with its caches, as cloud-manager has them. */
export interface RunningController extends AsyncDisposable {
  readonly lines: ReturnType<typeof recordingLogger>['lines'];
  readonly metrics: () => string;
}

/** A cluster with our definitions and rights, whose unit-controller acts with the rights of cloud-manager. */
export interface UnitWorld extends AsyncDisposable {
  readonly admin: KubeClient;
  readonly kubectl: Kubectl;
  readonly controlPlane: PrivateControlPlane;
  start(resyncMs?: number): Promise<RunningController>;
  /** As the node itself. */
  asNode(name: string): Promise<KubeClient>;
  addNode(name: string, node?: Partial<Node>): Promise<Node>;
  node(name: string): Promise<Node>;
  unit(name: string): Promise<EdgeUnitObject | undefined>;
  edgeNode(name: string): Promise<EdgeNodeObject | undefined>;
  events(unit: string): Promise<readonly string[]>;
  /** Requests that write nodes, units and what belongs to them, as the API server has counted them. */
  writes(): Promise<number>;
}

export const until = <T>(what: string, look: () => Promise<T | undefined | false>): Promise<T> =>
  waitFor({ what }, systemClock, look);

const absent = (error: unknown): undefined => {
  if (hasCode(error, 'NotFound')) return undefined;
  throw error;
};

const written = new Set(['nodes', 'edgenodes', 'edgeunits', 'events']);
const writing = new Set(['POST', 'PUT', 'PATCH', 'APPLY', 'DELETE']);

/** The rights of cloud-manager belong to a name, whatever proves it. */
async function clientOf(
  controlPlane: PrivateControlPlane,
  user: string,
  groups: string[],
): Promise<KubeClient> {
  const pair = await controlPlane.issue({ commonName: user, organizations: groups, usages: ['client'] });
  const clientCertificate = { certificate: pair.certificate, privateKey: pair.key };
  const credentials = { certificateAuthority: controlPlane.ca, clientCertificate };
  return connectWith(`https://127.0.0.1:${controlPlane.port}`, credentials);
}

async function run(client: KubeClient, resyncMs: number | undefined): Promise<RunningController> {
  const registry = createMetricsRegistry();
  const kubeMetrics = createKubeMetrics(registry);
  const log = recordingLogger();
  const shared = { client, clock: systemClock, random: seededRandom(1), log };
  const caches = createObjectCaches({ name: 'unit caches' }, { ...shared, kubeMetrics });
  const units = caches.follow({ resource: edgeUnitResource });
  const nodes = caches.follow({ resource: resources.nodes });
  const edgeNodes = caches.follow({ resource: edgeNodeResource }, { indexers: unitIndexers });
  const events = createEventRecorder(
    { component: 'cloud-manager', host: 'cloud-1' },
    { ...shared, metrics: kubeMetrics },
  );
  const metrics = createUnitMetrics(registry, () => Array.from(units.values()));
  const controller = createUnitController(
    { gatherMs: 50, ...(resyncMs === undefined ? {} : { resyncMs }) },
    { ...shared, units, nodes, edgeNodes, events, metrics, kubeMetrics },
  );
  const group = createServiceGroup({ name: 'test', services: [events, caches.service, controller] }, { log });
  await group.start(signal);
  return { lines: log.lines, metrics: () => registry.render(), [Symbol.asyncDispose]: () => group.stop() };
}

async function countWrites(admin: KubeClient): Promise<number> {
  const { body } = await admin.raw({ method: 'GET', path: '/metrics', signal });
  return parseMetrics(body.toString())
    .filter(({ name }) => name === 'apiserver_request_total')
    .filter(({ labels }) => written.has(labels['resource'] ?? '') && writing.has(labels['verb'] ?? ''))
    .reduce((sum, { value }) => sum + value, 0);
}

const messageOf = ({ reason, message }: Event): string => `${reason} ${message}`;

export async function startUnitWorld(): Promise<UnitWorld> {
  const { kubectl: program } = await ensureAssets({ binaries: ['kubectl'] });
  const controlPlane = await startControlPlane();
  const { client: admin } = await connect(controlPlane.kubeconfig);
  const kubectl = createKubectl({ program, kubeconfig: controlPlane.kubeconfig });
  await kubectl(['apply', '--server-side', '--kustomize', join(deploy, 'crds')]);
  const rights = { apiVersion: 'v1', kind: 'List', items: managerObjects };
  await kubectl(['apply', '--server-side', '--filename=-'], { input: JSON.stringify(rights) });
  await kubectl(['wait', '--for=condition=Established', '--timeout=60s', 'crd', '--all']);
  const clients: KubeClient[] = [admin];
  const as = async (user: string, groups: string[]): Promise<KubeClient> => {
    const client = await clientOf(controlPlane, user, groups);
    clients.push(client);
    return client;
  };
  return {
    admin,
    kubectl,
    controlPlane,
    start: async (resyncMs) =>
      run(await as(`system:serviceaccount:${managerNamespace}:cloud-manager`, []), resyncMs),
    asNode: (name) => as(`system:node:${name}`, ['system:nodes']),
    addNode: (name, { metadata, ...node } = {}) =>
      admin.create(resources.nodes, { metadata: { ...metadata, name }, ...node }, { signal }),
    node: (name) => admin.get(resources.nodes, { name }, { signal }),
    unit: (name) => admin.get(edgeUnitResource, { name }, { signal }).catch(absent),
    edgeNode: (name) => admin.get(edgeNodeResource, { name }, { signal }).catch(absent),
    async events(unit) {
      const fieldSelector = `involvedObject.name=${unit}`;
      const { items } = await admin.list(resources.events, { namespace: 'default', fieldSelector, signal });
      return items.map(messageOf);
    },
    writes: () => countWrites(admin),
    async [Symbol.asyncDispose]() {
      await Promise.all(clients.map((client) => client.close()));
      await controlPlane.stop();
    },
  };
}

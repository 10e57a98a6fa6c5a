import { isDeepStrictEqual } from 'node:util';
import { type KubeClient, type KubeObject, resources } from '@selvedge/kube';
import type { ConfigMap, EndpointSlice, Node, Pod } from '@selvedge/kube/types';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type HubCluster, namespace, nodeName, startHubCluster } from './hub-cluster.ts';
import { type HubProcess, createHubProcess } from './hub-process.ts';
import { type Informer, startInformer } from './informer.ts';
import { connectWith } from './kube-world.ts';

const { signal } = new AbortController();
const config = 'config';
const ownPod = `${namespace}/own`;
const stack = new AsyncDisposableStack();

let cluster: HubCluster;
let hub: HubProcess;
let kubelet: KubeClient;
let pods: Informer;
let nodes: Informer;
let maps: Informer;
let slices: Informer;
const all = (): readonly Informer[] => [pods, nodes, maps, slices];

/** A pod of the node that mounts a config map, behind a Service. */
async function createObjects(): Promise<void> {
  const { admin } = cluster;
  const map: ConfigMap = { metadata: { namespace, name: config } };
  await admin.create(resources.configMaps, map, { signal });
  const volumes = [{ name: config, configMap: { name: config } }];
  const spec = { nodeName, containers: [{ name: 'main', image: 'main' }], volumes };
  const own = await admin.create(resources.pods, { metadata: { namespace, name: 'own' }, spec }, { signal });
  const ports = [{ name: 'http', port: 80 }];
  await admin.create(
    resources.services,
    { metadata: { namespace, name: 'web' }, spec: { ports } },
    { signal },
  );
  const { uid } = own.metadata;
  const slice: EndpointSlice = {
    metadata: { namespace, name: 'web-1', labels: { 'kubernetes.io/service-name': 'web' } },
    addressType: 'IPv4',
    ports,
    endpoints: [
      {
        addresses: ['10.244.0.7'],
        conditions: { ready: false, serving: false, terminating: false },
        nodeName,
        targetRef: { kind: 'Pod', namespace, name: 'own', ...(uid === undefined ? {} : { uid }) },
      },
    ],
  };
  await admin.create(resources.endpointSlices, slice, { signal });
}

const informerOf = async (resource: string, ...more: readonly string[]): Promise<Informer> => {
  const kubeconfig = await hub.kubeconfig('informer', hub.kubelet);
  return stack.use(await startInformer(kubeconfig, [`--resource=${resource}`, ...more]));
};

beforeAll(async () => {
  cluster = stack.use(await startHubCluster());
  await createObjects();
  hub = stack.use(await createHubProcess(cluster));
  await hub.start();
  const { certificate, key } = hub.kubelet;
  const clientCertificate = { certificate, privateKey: key };
  kubelet = connectWith(hub.url, { certificateAuthority: hub.ca, clientCertificate });
  stack.defer(() => kubelet.close());
  pods = await informerOf('pods', `--fields=spec.nodeName=${nodeName}`);
  nodes = await informerOf('nodes', `--fields=metadata.name=${nodeName}`);
  maps = await informerOf('configmaps', `--namespace=${namespace}`, `--fields=metadata.name=${config}`);
  slices = await informerOf('endpointslices', '--group=discovery.k8s.io');
});
afterAll(() => stack.disposeAsync());

/** As the kubelet tells it. */
async function sayReady(ready: boolean, reason: string): Promise<void> {
  const status = ready ? 'True' : 'False';
  const conditions = ['Ready', 'ContainersReady'].map((type) => ({ type, status, reason }));
  const patch = {
    type: 'application/strategic-merge-patch+json',
    body: { status: { phase: 'Running', podIP: '10.244.0.7', podIPs: [{ ip: '10.244.0.7' }], conditions } },
  } as const;
  await kubelet.patch(resources.pods, { namespace, name: 'own' }, { patch, subresource: 'status', signal });
}

const readiness =
  (wanted: boolean, reason: string) =>
  ({ status }: Pod): boolean =>
    status?.conditions?.some(
      (one) => one.type === 'Ready' && one.status === (wanted ? 'True' : 'False') && one.reason === reason,
    ) === true;
const endpointReady =
  (wanted: boolean) =>
  ({ endpoints }: EndpointSlice): boolean =>
    endpoints?.[0]?.conditions?.ready === wanted;
const cloud =
  (status: string) =>
  (node: Node): boolean =>
    node.status?.conditions?.some((one) => one.type.endsWith('CloudReachable') && one.status === status) ===
    true;

const annotated = (value: string) => ({
  type: 'application/merge-patch+json' as const,
  body: { metadata: { annotations: { value } } },
});
async function annotate(value: string): Promise<void> {
  await cluster.admin.patch(
    resources.configMaps,
    { namespace, name: config },
    { patch: annotated(value), signal },
  );
}
const hasValue =
  (value: string) =>
  ({ metadata }: KubeObject): boolean =>
    metadata.annotations?.['value'] === value;

function withoutVersion({ metadata, ...rest }: KubeObject): object {
  const { resourceVersion: _version, ...kept } = metadata;
  return { ...rest, metadata: kept };
}

/** What of an object was not told in the order of its versions, or told twice. */
function faults({ lines }: Informer): readonly string[] {
  const last = new Map<string, KubeObject>();
  return lines.flatMap(({ type, key = '', object }) => {
    if (object === undefined) return [];
    const before = last.get(key);
    last.set(key, object);
    if (before === undefined) return [];
    const [from, to] = [before, object].map(({ metadata }) => BigInt(metadata.resourceVersion ?? '')) as [
      bigint,
      bigint,
    ];
    if (to <= from) return [`${type} ${key} from ${from} to ${to}`];
    const same = isDeepStrictEqual(withoutVersion(before), withoutVersion(object));
    return type === 'update' && same ? [`${type} ${key} to ${to} says nothing new`] : [];
  });
}

const relists = (): readonly unknown[] =>
  all().flatMap(({ lines }) => lines.filter(({ type }) => type === 'relist'));

describe("client-go's informers at the hub", () => {
  test('are given what its views make of an object, and what they make of it next', async () => {
    await slices.shows(`${namespace}/web-1`, endpointReady(false));
    await sayReady(true, 'online');
    await pods.shows(ownPod, readiness(true, 'online'));
    await slices.shows(`${namespace}/web-1`, endpointReady(true));
    await nodes.shows(nodeName, cloud('True'));
  });

  test.each(['refused', 'blackhole'] as const)(
    'are given what changes here during a cut (%s), and there after it',
    async (kind) => {
      await hub.cut(kind);
      await nodes.shows(nodeName, cloud('False'));
      await sayReady(false, kind);
      await pods.shows(ownPod, readiness(false, kind));
      await slices.shows(`${namespace}/web-1`, endpointReady(false));
      await annotate(kind);
      await cluster.createPod(`during-${kind}`, nodeName);
      await hub.heal();
      await maps.shows(`${namespace}/${config}`, hasValue(kind));
      await pods.shows(`${namespace}/during-${kind}`, () => true);
      await nodes.shows(nodeName, cloud('True'));
      await sayReady(true, `after-${kind}`);
      await pods.shows(ownPod, readiness(true, `after-${kind}`));
      expect(relists()).toEqual([]);
    },
  );

  test('need not list anew when the API server restarts and has forgotten its history', async () => {
    await cluster.controlPlane.stopApiServer();
    await cluster.controlPlane.compact(signal);
    await cluster.controlPlane.startApiServer(signal);
    await annotate('restarted');
    await maps.shows(`${namespace}/${config}`, hasValue('restarted'));
    await cluster.admin.delete(
      resources.pods,
      { namespace, name: 'during-refused' },
      { signal, gracePeriodSeconds: 0 },
    );
    await pods.gone(`${namespace}/during-refused`);
    expect(relists()).toEqual([]);
  });

  // The second one comes as soon as the first one allows: a watch has told its place as soon as it is open.
  test.each(['SIGTERM', 'SIGKILL'] as const)('go on when the hub restarts (%s)', async (how) => {
    await hub.stop(how);
    await annotate(how);
    await hub.start();
    await maps.shows(`${namespace}/${config}`, hasValue(how));
    await sayReady(false, how);
    await pods.shows(ownPod, readiness(false, how));
    await slices.shows(`${namespace}/web-1`, endpointReady(false));
    expect(relists()).toEqual([]);
  });

  test('were told each change once, in order, and hold what the API server has', async () => {
    expect(all().flatMap(faults)).toEqual([]);
    const list = await cluster.admin.list(resources.pods, {
      fieldSelector: `spec.nodeName=${nodeName}`,
      signal,
    });
    for (const pod of list.items) {
      const key = `${pod.metadata.namespace}/${pod.metadata.name}`;
      expect(withoutVersion(pods.shown(key) ?? { metadata: {} })).toEqual({
        apiVersion: 'v1',
        kind: 'Pod',
        ...withoutVersion(pod),
      });
    }
  });
});

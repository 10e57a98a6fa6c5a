import { systemClock } from '@selvedge/kit';
import { seededRandom } from '@selvedge/kit/testing';
import { type KubeObject, type Resource, resources } from '@selvedge/kube';
import type { ConfigMap, Pod, PodStatus } from '@selvedge/kube/types';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { ObjectSource, SourceResource } from '../../packages/edge-lite/src/pods/index.ts';
import {
  type PodStatusSink,
  createStatusSink,
  createTokenSource,
} from '../../packages/edge-lite/src/reports/index.ts';
import { waitFor } from '../bed/wait.ts';
import { type HubCluster, namespace, nodeName, startHubCluster } from './hub-cluster.ts';
import { type HubNode, createHubNode } from './hub-node.ts';

const signal = new AbortController().signal;
let cluster: HubCluster;

beforeAll(async () => {
  cluster = await startHubCluster();
});
afterAll(() => cluster?.[Symbol.asyncDispose]());

let hub: HubNode;
let source: ObjectSource;
let sink: PodStatusSink;

async function open(): Promise<void> {
  const run = await hub.start();
  ({ source } = run.source);
  sink = createStatusSink({ nodeName }, { ...run, source, clock: systemClock, random: seededRandom(2) });
  await sink.start(signal);
}

async function close(): Promise<void> {
  await sink.stop();
  await hub.stop();
}

beforeEach(async () => {
  hub = await createHubNode(cluster, { userAgent: 'edge-lite', pods: true });
  await open();
});
afterEach(async () => {
  await close();
  await hub[Symbol.asyncDispose]();
});

const create = <T extends KubeObject>(resource: Resource<T>, object: T): Promise<T> =>
  cluster.admin.create(resource, object, { signal });

/** A pod on this node that names a config map and a secret, after itself; known to the replica. */
async function createPod(name: string): Promise<Pod> {
  await create(resources.configMaps, { metadata: at(name), data: { a: '1' } });
  await create(resources.secrets, { metadata: at(name), stringData: { b: '2' } });
  const envFrom = [{ configMapRef: { name } }, { secretRef: { name } }];
  const spec = { nodeName, containers: [{ name: 'main', image: 'pause', envFrom }] };
  const pod = await create(resources.pods, { metadata: at(name), spec });
  await eventually('the pod', async () => kindOf('pods', name) === 'present');
  return pod;
}

const at = (name: string): { readonly namespace: string; readonly name: string } => ({ namespace, name });
const eventually = <T>(what: string, look: () => Promise<T | undefined | false>): Promise<T> =>
  waitFor({ what }, systemClock, look);
const kindOf = (resource: SourceResource, name: string): string => source.get({ resource, ...at(name) }).kind;
const refOf = ({
  metadata,
}: Pod): { readonly namespace: string; readonly name: string; readonly uid: string } => ({
  namespace,
  name: metadata.name ?? '',
  uid: metadata.uid ?? '',
});
const shown = (name: string): Promise<Pod> => cluster.admin.get(resources.pods, at(name), { signal });
const running: PodStatus = {
  phase: 'Running',
  podIP: '10.1.0.2',
  podIPs: [{ ip: '10.1.0.2' }],
  startTime: '2026-01-01T00:00:00Z',
  conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: '2026-01-01T00:00:00Z' }],
  containerStatuses: [
    {
      name: 'main',
      image: 'pause',
      imageID: 'pause@sha256:1',
      ready: true,
      restartCount: 0,
      state: { running: { startedAt: '2026-01-01T00:00:01Z' } },
    },
  ],
};

describe('what a node may see', () => {
  test('its pods, all services, itself, and the config of its pods while it follows that', async () => {
    await createPod('seen');
    // A young API server makes it some time after it has begun to answer.
    await eventually('the Service of the API server', async () =>
      source.list('services').some(({ metadata }) => metadata.name === 'kubernetes'),
    );
    expect(source.list('nodes')).toHaveLength(1);
    const config = { resource: 'configmaps', ...at('seen') } as const;
    using one = source.follow(config);
    using two = source.follow({ resource: 'secrets', ...at('seen') });
    await eventually('config map and secret', async () => {
      return kindOf('configmaps', 'seen') === 'present' && kindOf('secrets', 'seen') === 'present';
    });
    await cluster.admin.replace(resources.configMaps, { metadata: at('seen'), data: { a: '2' } }, { signal });
    await eventually('the change', async () => {
      const found = source.get<ConfigMap>(config);
      return found.kind === 'present' && found.object.data?.['a'] === '2';
    });
    expect([one, two]).toHaveLength(2);
  });

  test('no secret that none of its pods names', async () => {
    await create(resources.secrets, { metadata: at('foreign') });
    using following = source.follow({ resource: 'secrets', ...at('foreign') });
    await createPod('sentinel');
    expect(kindOf('secrets', 'foreign')).toBe('unknown');
    expect(following).toBeDefined();
  });

  test('after a restart what changed meanwhile, the rest from its disk', async () => {
    await createPod('stays');
    await createPod('goes');
    await close();
    await cluster.admin.delete(resources.pods, at('goes'), { signal, gracePeriodSeconds: 0 });
    await open();
    expect(kindOf('pods', 'stays')).toBe('present');
    await eventually('the deletion', async () => kindOf('pods', 'goes') === 'absent');
  });
});

test('after its cluster was restored from a backup it sees what the cluster has', async () => {
  await createPod('restored');
  const { replica, coverages } = hub.run;
  await sink.stop();
  await coverages.stop();
  const ahead = replica.coverages().find(({ resource }) => resource === 'v1/pods');
  if (ahead === undefined) throw new TypeError('pods are not followed');
  replica.apply(ahead.id, [], '99999999');
  await hub.stop();
  await cluster.admin.delete(resources.pods, at('restored'), { signal, gracePeriodSeconds: 0 });
  await open();
  await eventually('the deletion', async () => kindOf('pods', 'restored') === 'absent');
  await createPod('afterwards');
});

describe('a pod status', () => {
  test('arrives as it was reported, and costs no write when nothing is new', async () => {
    const pod = await createPod('reported');
    sink.put(refOf(pod), running);
    const first = await eventually('the status', async () => {
      const now = await shown('reported');
      return now.status?.phase === 'Running' && now;
    });
    expect(first.status).toMatchObject(running);
    sink.put(refOf(pod), { ...running, message: '' });
    sink.put(refOf(await createPod('later')), running);
    await eventually('the later status', async () => (await shown('later')).status?.phase === 'Running');
    expect((await shown('reported')).metadata.resourceVersion).toBe(first.metadata.resourceVersion);
  });

  test('replaces addresses, takes back what is over and keeps transition times', async () => {
    const pod = await createPod('changing');
    sink.put(refOf(pod), { ...running, reason: 'Old', message: 'old' });
    await eventually('the status', async () => (await shown('changing')).status?.reason === 'Old');
    const podIPs = [{ ip: '10.1.0.3' }];
    const conditions = [
      { type: 'Ready', status: 'True', lastTransitionTime: '2026-02-02T00:00:00Z', reason: 'Again' },
    ];
    sink.put(refOf(pod), { ...running, podIP: '10.1.0.3', podIPs, conditions });
    const after = await eventually('the change', async () => {
      const now = await shown('changing');
      return now.status?.podIP === '10.1.0.3' && now;
    });
    expect(after.status?.podIPs).toEqual(podIPs);
    expect(after.status?.reason).toBeUndefined();
    expect(after.status?.conditions?.find(({ type }) => type === 'Ready')).toMatchObject({
      reason: 'Again',
      lastTransitionTime: '2026-01-01T00:00:00Z',
    });
  });

  test('of a pod that has ended lets it go once that is asked for', async () => {
    const pod = await createPod('ended');
    sink.terminated(refOf(pod), { ...running, phase: 'Succeeded', conditions: [] });
    await eventually('the end', async () => (await shown('ended')).status?.phase === 'Succeeded');
    await cluster.admin.delete(resources.pods, at('ended'), { signal });
    await eventually('its removal', async () => {
      const { items } = await cluster.admin.listAll(resources.pods, { namespace, signal });
      return items.every(({ metadata }) => metadata.name !== 'ended');
    });
    await eventually(
      'the replica',
      async () => source.get({ resource: 'pods', ...at('ended') }).kind === 'absent',
    );
  });
});

test('a token is bound to its pod and audience', async () => {
  await create(resources.serviceAccounts, { metadata: at('worker') });
  const serviceAccountToken = { audience: 'vault', path: 'token' };
  const volumes = [{ name: 'token', projected: { sources: [{ serviceAccountToken }] } }];
  const containers = [{ name: 'main', image: 'pause' }];
  const spec = { nodeName, serviceAccountName: 'worker', containers, volumes };
  const pod = await create(resources.pods, { metadata: at('asks'), spec });
  const query = { pod: refOf(pod), serviceAccount: 'worker', audiences: ['vault'], expirationSeconds: 3_600 };
  const tokens = createTokenSource({ client: cluster.node });
  const { token, expiresAtMs, lifetimeSeconds } = await eventually('a token', () =>
    tokens.request(query, signal),
  );
  const [, claims = ''] = token.split('.');
  expect(JSON.parse(Buffer.from(claims, 'base64url').toString())).toMatchObject({
    aud: ['vault'],
    'kubernetes.io': { pod: { name: 'asks', uid: pod.metadata.uid }, serviceaccount: { name: 'worker' } },
  });
  expect(expiresAtMs - Date.now()).toBeGreaterThan(3_000_000);
  expect(lifetimeSeconds).toBe(3_600);
  await expect(
    tokens.request({ ...query, pod: { ...query.pod, uid: 'another' } }, signal),
  ).rejects.toMatchObject({
    code: expect.stringMatching(/Forbidden|Conflict/),
  });
});

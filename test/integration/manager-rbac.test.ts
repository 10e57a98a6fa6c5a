import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { join } from 'node:path';
import { text as readAll } from 'node:stream/consumers';
import {
  autonomyAnnotations,
  managerAdmission,
  managerNamespace,
  managerObjects,
  trafficAnnotations,
} from '@selvedge/api';
import { type KubeClient, mergePatch, resources } from '@selvedge/kube';
import type { Node, Pod } from '@selvedge/kube/types';
import { edgeUnitResource } from '@selvedge/unit-controller';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { newRequest } from '../../packages/cloud-manager/src/csr/testing.ts';
import type { KeyPair } from '../bed/pki/certificate.ts';
import { TestNodes } from './autonomy-world.ts';
import { type Audit, createAudit } from './hub-audit.ts';
import {
  type ManagerWorld,
  type RunningManager,
  edgeNodeResource,
  signal,
  startManagerWorld,
  until,
} from './manager-world.ts';
import {
  applyApps,
  applyHindered,
  areHindered,
  disownRevisions,
  problemOf,
  versionsOf,
} from './rbac-apps.ts';
import { rightText, rightsOf, uses } from './rights.ts';

/**
 * cloud-manager does all its work, as its service account and with the rights that are installed for it: none is missing,
 * and none is granted that it does not use.
 */

const account = `system:serviceaccount:${managerNamespace}:cloud-manager`;

/** What is granted although no request of cloud-manager is about it, and why. */
const unused: Readonly<Record<string, string>> = {
  'update selvedge.io unitapps/finalizers':
    'OwnerReferencesPermissionEnforcement asks for it, which is on here, when something is made that a UnitApp owns',
  'approve certificates.k8s.io signers named kubernetes.io/kubelet-serving':
    'the API server asks for it when a request is approved',
  'approve certificates.k8s.io signers named kubernetes.io/kube-apiserver-client-kubelet':
    'the API server asks for it when a request is denied',
};

const hurried = ['--node-monitor-grace-period=12s', '--node-monitor-period=1s'];
/** Its caches list, then watch. Where API servers stream lists they watch, and ask for nothing else. */
const apiServerFlags = [
  '--feature-gates=WatchList=false',
  '--enable-admission-plugins=OwnerReferencesPermissionEnforcement',
];
const crds = join(import.meta.dirname, '../../deploy/crds');
const stack = new AsyncDisposableStack();
let audit: Audit;
let world: ManagerWorld;
let admin: KubeClient;
let nodes: TestNodes;
let manager: RunningManager;

const start = (server: string): Promise<RunningManager> =>
  world.startManager(server, {
    kubeletProxy: { listen: '127.0.0.1:0' },
    webhook: { listen: '127.0.0.1:0', reach: { url: 'https://127.0.0.1:1' } },
    autonomy: { gracePeriodSeconds: 10, witnessSeconds: 5 },
  });

beforeAll(async () => {
  audit = stack.use(await createAudit());
  world = stack.use(
    await startManagerWorld({
      apiServerFlags: [...audit.flags, ...apiServerFlags],
      controllerManagerFlags: hurried,
    }),
  );
  ({ admin } = world);
  await world.kubectl(['apply', '--server-side', '--kustomize', crds]);
  nodes = new TestNodes(admin);
  stack.defer(() => nodes.stop());
  manager = await start('cloud-1');
  await world.kubectl(['apply', '--server-side', '--filename=-'], {
    input: await world.printWebhook(manager),
  });
  // With no node that is Ready the stock controller stops to act.
  await nodes.add('cloud');
});
afterAll(() => stack.disposeAsync());

const issue = (name: string): Promise<KeyPair> =>
  world.cluster.controlPlane.issue({
    commonName: `system:node:${name}`,
    organizations: ['system:nodes'],
    usages: ['client'],
  });

async function addMember(name: string): Promise<KeyPair> {
  await nodes.add(name);
  return issue(name);
}

const node = (name: string): Promise<Node> => admin.get(resources.nodes, { name }, { signal });
const readiness = ({ status }: Node | Pod): string | undefined =>
  status?.conditions?.find(({ type }) => type === 'Ready')?.status;

async function addPod(name: string, nodeName: string, spec: Partial<Pod['spec']> = {}): Promise<void> {
  const containers = [{ name: 'c', image: 'none' }];
  const metadata = { name, namespace: 'default' };
  await admin.create(resources.pods, { metadata, spec: { nodeName, containers, ...spec } }, { signal });
  await runPod(name);
}

async function runPod(name: string): Promise<void> {
  const types = ['Ready', 'ContainersReady'];
  const status = { phase: 'Running', conditions: types.map((type) => ({ type, status: 'True' })) };
  const options = { patch: mergePatch({ status }), subresource: 'status', signal };
  await admin.patch(resources.pods, { name, namespace: 'default' }, options);
}

const untilMembers = (unit: string, count: number): Promise<unknown> =>
  until(`${count} members of ${unit}`, async () => {
    const { status } = await admin.get(edgeUnitResource, { name: unit }, { signal });
    return status?.members?.length === count;
  });

const untilState = (name: string, state: string): Promise<unknown> =>
  until(`${name} is ${state}`, async () => (await world.edgeNode(name))?.status?.state === state);

test('tunnels, sessions and bans', async () => {
  const pair = await world.addNode('shop-1');
  const agent = await world.startAgent(pair, [manager]);
  await until('a session', async () => (await world.edgeNode('shop-1'))?.status?.sessionCount === 1);
  await agent.stop();
  await world.ban('shop-1', true);
  await world.ban('shop-1', false);
  await admin.delete(resources.nodes, { name: 'shop-1' }, { signal });
  await until('no EdgeNode', async () => (await world.edgeNode('shop-1')) === undefined);
});

test('certificate requests, approved and denied', async () => {
  const client = world.client(await world.addNode('till-1'));
  const ask = async (name: string, signerName: string, usage: string): Promise<void> => {
    const names = usage === 'server auth' ? [{ type: 'dns', value: 'till-1' } as const] : [];
    const pem = await newRequest({ subject: 'O=system:nodes, CN=system:node:till-1', names });
    const usages = ['digital signature', usage];
    const spec = { request: Buffer.from(pem).toString('base64'), signerName, usages };
    await client.create(resources.certificateSigningRequests, { metadata: { name }, spec }, { signal });
  };
  const decided = (name: string, type: string): Promise<unknown> =>
    until(`${name} ${type}`, async () => {
      const { status } = await admin.get(resources.certificateSigningRequests, { name }, { signal });
      return status?.conditions?.some((one) => one.type === type);
    });
  await ask('serving', 'kubernetes.io/kubelet-serving', 'server auth');
  await decided('serving', 'Approved');
  // The cluster's own approver would be first: nobody but us decides about this one.
  await ask('pending', 'kubernetes.io/kubelet-serving', 'client auth');
  await admin.create(edgeNodeResource, { metadata: { name: 'till-1' }, spec: { banned: true } }, { signal });
  await decided('pending', 'Denied');
});

test('units: what they give their members', async () => {
  await addMember('a-1');
  await addMember('a-2');
  const spec = { members: { names: ['a-1', 'a-2'] }, labels: { 'example.org/tier': 'gold' } };
  await admin.create(edgeUnitResource, { metadata: { name: 'shop-a' }, spec }, { signal });
  await addMember('b-1');
  const other = { members: { names: ['b-1'] }, deletionPolicy: 'release' as const };
  await admin.create(edgeUnitResource, { metadata: { name: 'shop-b' }, spec: other }, { signal });
  await world.kubectl(['wait', '--for=condition=Settled', '--timeout=60s', 'edgeunit', '--all']);
  // Who joins twice is told of in one Event.
  for (const names of [['a-1'], ['a-1', 'a-2']]) {
    const patch = mergePatch({ spec: { members: { names } } });
    await admin.patch(edgeUnitResource, { name: 'shop-a' }, { patch, signal });
    await untilMembers('shop-a', names.length);
  }
  await untilState('a-1', 'Connected');
  await untilState('a-2', 'Connected');
  await untilState('b-1', 'Connected');
});

test('metrics, for those who may have them', async () => {
  const args = ['create', 'token', 'default', '--namespace=default'];
  const { stdout: token } = await world.kubectl(args);
  expect((await manager.get('/metrics', token.trim())).status).toBe(403);
});

test('the traffic scope of a namespace, for its Services', async () => {
  const scope = { [trafficAnnotations.scope]: 'unit' };
  await admin.create(resources.namespaces, { metadata: { name: 'shop', annotations: scope } }, { signal });
  const web = { name: 'web', namespace: 'shop' };
  await admin.create(resources.services, { metadata: web, spec: { ports: [{ port: 80 }] } }, { signal });
  await until('the annotation', async () => {
    const { metadata } = await admin.get(resources.services, web, { signal });
    return metadata.annotations?.[trafficAnnotations.scope] === 'unit';
  });
});

test('who signs the certificate of the webhook, made anew where his key was taken away', async () => {
  const at = { namespace: managerNamespace, name: managerAdmission.secret };
  const patch = mergePatch({ data: { 'ca.key': null } });
  await admin.patch(resources.secrets, at, { patch, signal });
  await until('another key', async () => {
    const { data } = await admin.get(resources.secrets, at, { signal });
    return data?.['ca.key'] !== undefined;
  });
});

test('apps of units: made, changed, left behind, and hindered by others', async () => {
  await applyApps(world, '1');
  await until('clones in both units', async () => (await versionsOf(world)) === '1 1 1 1 1 1');
  await world.kubectl(['delete', 'edgeunit', 'shop-b']);
  await until('clones in one unit', async () => (await versionsOf(world)) === '1 1 1');
  for (const version of ['2', '3']) {
    await applyApps(world, version);
    await until(`version ${version}`, async () => new Set((await versionsOf(world)).split(' ')).size === 1);
    await until(`version ${version}`, async () => (await versionsOf(world)).startsWith(version));
  }
  await applyHindered(world, 'shop-a');
  await until('to hear of it', () => areHindered(world));
  await disownRevisions(world);
  await until('to hear of these', async () => (await problemOf(world, 'deployment')).includes('Revision'));
});

/** As a member of the unit, until what it says has come true. */
async function accuse(witness: KeyPair, subject: string): Promise<void> {
  const body = JSON.stringify({ reports: [{ node: subject, alive: false, ageSeconds: 0 }] });
  const sent = httpsRequest({
    host: '127.0.0.1',
    port: manager.ports.health,
    path: '/autonomy/v1alpha1/reports',
    method: 'POST',
    ca: world.cluster.controlPlane.ca,
    cert: witness.certificate,
    key: witness.key,
    agent: false,
  }).end(body);
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  await readAll(response);
}

test('a node that is cut off, and the next leader that finds it given up', async () => {
  await addPod('web', 'a-2');
  nodes.cut('a-2');
  await untilState('a-2', 'Autonomous');
  manager.signal('SIGTERM');
  await manager.exited;
  const web = { name: 'web', namespace: 'default' };
  const pod = async (): Promise<string | undefined> =>
    readiness(await admin.get(resources.pods, web, { signal }));
  await until('Ready is Unknown', async () => readiness(await node('a-2')) === 'Unknown');
  await until('its pod is not Ready', async () => (await pod()) === 'False');
  manager = await start('cloud-2');
  await until('the node is held', async () => readiness(await node('a-2')) === 'True');
  await until('its pod is Ready', async () => (await pod()) === 'True');
});

test('a node that died, whose pods fail over by the consent of their owners', async () => {
  const agreed = { [autonomyAnnotations.failover]: 'true' };
  const labels = { app: 'db' };
  const containers = [{ name: 'c', image: 'none' }];
  const template = { metadata: { labels }, spec: { containers } };
  const at = { name: 'db', namespace: 'default' };
  await admin.create(
    resources.statefulSets,
    {
      metadata: { ...at, annotations: agreed },
      spec: { serviceName: 'db', selector: { matchLabels: labels }, template },
    },
    { signal },
  );
  const pod = { name: 'db-0', namespace: 'default' };
  await until('its pod', () => admin.get(resources.pods, pod, { signal }).catch(() => undefined));
  const target = { apiVersion: 'v1', kind: 'Node', name: 'a-2' };
  const body = { apiVersion: 'v1', kind: 'Binding', metadata: { name: pod.name }, target };
  await admin.createSubresource(resources.pods, { ...pod, subresource: 'binding' }, { body, signal });
  await runPod('db-0');
  const claim = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } };
  const data = { name: 'data', namespace: 'default', annotations: agreed };
  await admin.create(resources.persistentVolumeClaims, { metadata: data, spec: claim }, { signal });
  await addPod('till', 'a-2', {
    volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }],
  });
  const witness = await issue('a-1');
  await until('a-2 is Dead', async () => {
    await accuse(witness, 'a-2');
    return (await world.edgeNode('a-2'))?.status?.state === 'Dead';
  });
  await until('a-2 is out of service', async () =>
    (await node('a-2')).spec?.taints?.some(({ key }) => key === 'node.kubernetes.io/out-of-service'),
  );
});

test('no right was missing, and each is used', async () => {
  manager.signal('SIGTERM');
  await manager.exited;
  const requests = await audit.requestsOf(account);
  expect(requests.length).toBeGreaterThan(100);
  const refused = requests.filter(({ responseStatus }) => responseStatus?.code === 403);
  expect(refused.map(({ verb, requestURI }) => `${verb} ${requestURI}`)).toEqual([]);
  const idle = rightsOf(managerObjects).filter((right) => !requests.some((one) => uses(one, right)));
  expect(idle.map(rightText).toSorted()).toEqual(Object.keys(unused).toSorted());
});

import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { edgeNodeDefinition } from '@selvedge/api';
import {
  type CommandContext,
  type Host,
  type HostResult,
  type Hosts,
  check,
  createLocalHost,
  describeCheck,
  describeStatus,
  status,
  supportDump,
} from '@selvedge/installer';
import { SelvedgeError, systemClock as clock } from '@selvedge/kit';
import {
  type KubeClient,
  type KubeObject,
  defineResource,
  mergePatch,
  resources,
  strategicMergePatch,
} from '@selvedge/kube';
import type { Node } from '@selvedge/kube/types';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { edgeNodeResource } from '@selvedge/unit-controller';
import type { PrivateControlPlane } from '../bed/control-plane/private-control-plane.ts';
import { freePort } from '../bed/free-port.ts';
import { testFewRights } from './installer-check-rights-suite.ts';
import { silent } from './installer-cloud-world.ts';
import { type TestClient, connect, connectWith, startControlPlane } from './kube-world.ts';
import { selvedge } from './selvedge.ts';

const { signal } = new AbortController();
const context: CommandContext = {
  progress: silent,
  agree: () => Promise.resolve(false),
  clock,
  random: () => 0.5,
  signal,
  version: '0.0.0',
};
const budgets = defineResource<KubeObject & { readonly spec: object }>({
  apiVersion: 'policy/v1',
  kind: 'PodDisruptionBudget',
  plural: 'poddisruptionbudgets',
  namespaced: true,
});

let controlPlane: PrivateControlPlane;
let admin: TestClient;
let cluster: KubeClient;

/** A Node as a kubelet shows it. */
async function makeNode(name: string, ready: 'True' | 'False'): Promise<void> {
  await cluster.create(resources.nodes, { metadata: { name } }, { signal });
  const nodeInfo = {
    architecture: 'amd64',
    bootID: '',
    containerRuntimeVersion: 'containerd://2.1.4',
    kernelVersion: '6.1.0',
    kubeProxyVersion: '',
    kubeletVersion: 'v1.36.3',
    machineID: '',
    operatingSystem: 'linux',
    osImage: 'Debian',
    systemUUID: '',
  };
  const patch = mergePatch({
    status: {
      nodeInfo,
      conditions: [{ type: 'Ready', status: ready }],
      addresses: [{ type: 'InternalIP', address: '192.0.2.7' }],
    },
  });
  await cluster.patch<Node>(resources.nodes, { name }, { patch, subresource: 'status', signal });
}

async function makeApiServerPod(): Promise<void> {
  const command = [
    'kube-apiserver',
    '--authorization-mode=Node,RBAC',
    '--egress-selector-config-file=/etc/konnectivity.yaml',
  ];
  const metadata = {
    name: 'kube-apiserver-a',
    namespace: 'kube-system',
    labels: { component: 'kube-apiserver' },
  };
  const containers = [
    { name: 'a', image: 'a', command, env: [{ name: 'KEY', value: 'pl4nted-in-environment' }] },
  ];
  await cluster.create(resources.pods, { metadata, spec: { nodeName: 'control-1', containers } }, { signal });
}

async function makeBinding(): Promise<void> {
  const name = 'system:certificates.k8s.io:certificatesigningrequests:nodeclient';
  const apiGroup = 'rbac.authorization.k8s.io';
  const subject = { kind: 'Group', apiGroup, name: 'system:bootstrappers:kubeadm:default-node-token' };
  const roleRef = { apiGroup, kind: 'ClusterRole', name };
  const metadata = { name: 'kubeadm:node-autoapprove-bootstrap' };
  await cluster.create(resources.clusterRoleBindings, { metadata, roleRef, subjects: [subject] }, { signal });
}

beforeAll(async () => {
  controlPlane = await startControlPlane();
  admin = await connect(controlPlane.kubeconfig);
  cluster = admin.client;
  await makeNode('shop-1', 'True');
  await makeNode('shop-2', 'False');
  const metadata = { name: 'shop-1', namespace: 'kube-node-lease' };
  const renewTime = new Date(clock.now() + 120_000).toISOString().replace('Z', '000Z');
  await cluster.create(
    resources.leases,
    { metadata, spec: { holderIdentity: 'shop-1', renewTime } },
    { signal },
  );
  await makeApiServerPod();
  await makeBinding();
});

afterAll(async () => {
  await admin[Symbol.asyncDispose]();
  await controlPlane.stop();
});

async function versions(): Promise<readonly unknown[]> {
  const kinds = [
    resources.nodes,
    resources.pods,
    resources.configMaps,
    resources.clusterRoleBindings,
    budgets,
  ];
  const lists = kinds.map(async (kind) => (await cluster.listAll<KubeObject>(kind, { signal })).items);
  return (await Promise.all(lists)).flat().map(({ metadata }) => [metadata.uid, metadata.resourceVersion]);
}

const deps = (): CommandContext & { cluster: KubeClient } => ({ ...context, cluster });

describe('a check of a real cluster', () => {
  it('finds all at once through the API server alone, and changes nothing', async () => {
    const before = await versions();
    const result = await check({}, deps());
    const ids = result.findings.map(({ id, where }) => `${id} ${where}`);
    expect(ids).toEqual(
      expect.arrayContaining([
        'node-not-ready node shop-2',
        'node-clock node shop-1',
        'node-restriction-off cluster',
        'csr-any-name cluster',
        'egress-present cluster',
        'address-shared cluster',
        'dns-zone-impossible cluster',
      ]),
    );
    const sound = [
      'rights-missing',
      'unreadable',
      'kubernetes-too-old',
      'ca-ends',
      'machine-closed',
      'own-clock',
    ];
    for (const id of sound) expect(result.findings.map((one) => one.id)).not.toContain(id);
    expect(result).toMatchObject({ version: 'v1.36.3', nodes: ['shop-1', 'shop-2'], machines: [] });
    expect(result.counts.error).toBeGreaterThan(0);
    expect(describeCheck(result)).toMatch(/^ERROR {2}/);
    expect(await versions()).toEqual(before);
  });

  it('tells who may do little what he may not', async () => {
    const { certificate, key } = await controlPlane.issue({ commonName: 'guest', usages: ['client'] });
    const client = connectWith(`https://127.0.0.1:${controlPlane.port}`, {
      certificateAuthority: controlPlane.ca,
      clientCertificate: { certificate, privateKey: key },
    });
    const { findings } = await check({}, { ...context, cluster: client });
    await client.close();
    const [missing] = findings.filter(({ id }) => id === 'rights-missing');
    expect(missing?.what).toMatch(/create customresourcedefinitions\.apiextensions\.k8s\.io/);
    const unreadable = findings.flatMap(({ id, what }) => (id === 'unreadable' ? [what] : []));
    expect(unreadable).toContain('you are not allowed to list pods');
    expect(unreadable).toContain('you are not allowed to get configmaps/selvedge-install in selvedge-system');
  });

  it('is one finding if nobody answers', async () => {
    const client = connectWith(`https://127.0.0.1:${await freePort()}`, {});
    const result = await check({}, { ...context, cluster: client });
    await client.close();
    expect(result.findings).toMatchObject([{ id: 'api-not-reached', severity: 'error' }]);
    expect(result.counts).toEqual({ error: 1, warning: 0, info: 0 });
  });

  it('looks at machines where there is a way to them, and says where there is none', async () => {
    const open: Hosts['open'] = ({ name }) =>
      name === 'shop-1'
        ? Promise.resolve(createLocalHost({ clock }))
        : Promise.reject(new SelvedgeError('it takes no key', { code: 'Unauthenticated' }));
    const { findings, machines } = await check({}, { ...deps(), hosts: { open } });
    expect(machines).toEqual(['shop-1']);
    const closed = findings.filter(({ id }) => id === 'machine-closed');
    expect(closed).toMatchObject([{ where: 'node shop-2', what: expect.stringMatching(/no key/) }]);
    // What runs the tests is no node.
    expect(findings.map(({ id, where }) => `${id} ${where}`)).toContain('layout-unknown node shop-1');
  });
});

describe('the status of a real cluster', () => {
  it('tells of nodes before anything is installed', async () => {
    const result = await status({}, deps());
    expect(result).toMatchObject({ cloud: { kind: 'none' }, units: [] });
    expect(result.nodes.map(({ name, kind, ready }) => [name, kind, ready])).toEqual([
      ['shop-1', 'stock', true],
      ['shop-2', 'stock', false],
    ]);
    expect(describeStatus(result)).toMatch(/not installed/);
  });

  it('tells what the cloud sees of a node that was chosen', async () => {
    await cluster.create(resources.customResourceDefinitions, edgeNodeDefinition as never, { signal });
    const make = (): Promise<unknown> =>
      cluster.create(edgeNodeResource, { metadata: { name: 'shop-1' }, spec: { banned: true } }, { signal });
    await expect
      .poll(() =>
        make().then(
          () => true,
          () => false,
        ),
      )
      .toBe(true);
    const patch = strategicMergePatch({
      status: { conditions: [{ type: 'selvedge.io/CloudReachable', status: 'False', message: 'cut' }] },
    });
    await cluster.patch<Node>(resources.nodes, { name: 'shop-1' }, { patch, subresource: 'status', signal });
    const { nodes } = await status({ choice: { nodes: [{ name: 'shop-1' }] } }, deps());
    expect(nodes).toMatchObject([
      { name: 'shop-1', kind: 'converted', banned: true, hub: { reachesCloud: false } },
    ]);
  });
});

/** A machine that says nothing without its secrets. */
const leaking = [
  'token: pl4nted-token',
  'Authorization: Bearer pl4nted-bearer.0123456789',
  'join abcdef.pl4nted012345678 abcdef.0123456789abcdef',
  `client-key-data: ${Buffer.from('-----BEGIN EC PRIVATE KEY-----\npl4nted').toString('base64')}`,
  '-----BEGIN PRIVATE KEY-----\npl4nted-key\n-----END PRIVATE KEY-----',
  'synced with the cloud',
].join('\n');
const secrets = ['pl4nted', 'abcdef.0123456789abcdef', 'LS0tLS1CRUdJTi', 'BEGIN PRIVATE KEY'];

describe('an archive for support of a real cluster', () => {
  it('has what is known, and no secrets', async () => {
    const metadata = { name: 'planted', namespace: 'selvedge-system' };
    await cluster.create(resources.namespaces, { metadata: { name: 'selvedge-system' } }, { signal });
    await cluster.create(resources.secrets, { metadata, stringData: { key: 'pl4nted-secret' } }, { signal });
    const env = [{ name: 'ANY', value: 'pl4nted-environment' }];
    const spec = { nodeName: 'control-1', containers: [{ name: 'a', image: 'a', env }] };
    await cluster.create(resources.pods, { metadata, spec }, { signal });
    const involvedObject = { kind: 'Node', name: 'shop-1' };
    const event = {
      metadata: { ...metadata, namespace: 'default' },
      involvedObject,
      reason: 'Odd',
      message: 'password=pl4nted-event in it',
    };
    await cluster.create(resources.events, event, { signal });
    const run = (): Promise<HostResult> =>
      Promise.resolve({ exitCode: 0, stdout: Buffer.from(leaking), stderr: Buffer.alloc(0) });
    const host: Host = { name: 'leaking', run, [Symbol.asyncDispose]: () => Promise.resolve() };
    let archive = '';
    const save = (bytes: Uint8Array): Promise<string> => {
      archive = gunzipSync(bytes).toString();
      return Promise.resolve('dump.tar.gz');
    };
    const hosts = { open: () => Promise.resolve(host) };
    const result = await supportDump({}, { ...deps(), hosts, save });
    for (const one of secrets) expect(archive).not.toContain(one);
    for (const one of ['synced with the cloud', 'node-not-ready', 'Odd', '"gitVersion": "v1.36.3"'])
      expect(archive).toContain(one);
    const paths = result.entries.map(({ path }) => path);
    expect(paths).toEqual(
      expect.arrayContaining([
        'check.json',
        'status.json',
        'cluster/edgenodes.json',
        'cluster/pods.json',
        'nodes/shop-1/edge-lite.log',
        'nodes/shop-2/hub-metrics.txt',
        'missing.json',
      ]),
    );
    // Nobody runs the pod whose log was asked for.
    expect(result.missing.map(({ what }) => what)).toContain('cluster/logs/planted.log');
  });
});

testFewRights(() => ({ controlPlane, cluster, context }));

describe('by the command line', () => {
  it('a check that found errors ends with 3, and prints what it found as a document', async () => {
    const ran = await selvedge(['check', '--json', '--kubeconfig', controlPlane.kubeconfig]);
    expect(ran.code).toBe(3);
    expect(ran.document()).toMatchObject({ kind: 'CheckResult', nodes: ['shop-1', 'shop-2'], machines: [] });
  });

  it('the status is told of one node', async () => {
    const ran = await selvedge(['status', '--nodes', 'shop-1', '--kubeconfig', controlPlane.kubeconfig]);
    expect([ran.code, ran.stdout]).toEqual([0, expect.stringMatching(/^node shop-1: converted, Ready/m)]);
    expect(ran.stdout).not.toContain('shop-2');
  });

  it('an archive for support is a new file that only its owner may read', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'selvedge-support-'));
    const file = join(folder, 'dump.tar.gz');
    const args = ['support-dump', '--json', '--output', file, '--kubeconfig', controlPlane.kubeconfig];
    const ran = await selvedge(args);
    expect(ran.code).toBe(0);
    expect(ran.document()).toMatchObject({ kind: 'SupportDumpResult', file });
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect((await selvedge(args)).code).toBe(2);
    await rm(folder, { recursive: true });
  });
});

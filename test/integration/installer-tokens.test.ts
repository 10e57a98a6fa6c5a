import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { bootstrapGroupOf, managerNamespace } from '@selvedge/api';
import { type Progress, moveNode } from '@selvedge/installer';
import {
  type JoinConfig,
  kubeletConfig,
  newTunnelAuthority,
  newTunnelCertificate,
  tunnelCaConfig,
} from '@selvedge/installer/testing';
import { hasCode, systemClock } from '@selvedge/kit';
import { type KubeClient, defineResource, mergePatch, resources } from '@selvedge/kube';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newRequest } from '../../packages/cloud-manager/src/csr/testing.ts';
import { createEdgeNode } from './edge-world.ts';
import { testTokenMakers } from './installer-tokens-rights-suite.ts';
import { connectWith } from './kube-world.ts';
import { type ManagerWorld, signal, startManagerWorld, until } from './manager-world.ts';
import { documents, progressLine } from './selvedge-documents.ts';
import { type Ran, argumentsDuring, selvedge, spawnSelvedge } from './selvedge.ts';

/** `selvedge token` and `selvedge unit` in a cluster where nothing is prepared for machines that join. */

let world: ManagerWorld;
let flags: readonly string[];
const tunnelServer = 'tunnel.example.com:443';
const inventoryAt = { namespace: managerNamespace, name: 'selvedge-install' };
const secretAt = { namespace: managerNamespace, name: 'cloud-manager-tls' };

/** What `kubeadm init` makes, and the bed too: here it has to be made by the command. */
const prepared = [
  ['clusterrolebinding', 'selvedge:node-bootstrapper'],
  ['clusterrolebinding', 'selvedge:node-autoapprove-bootstrap'],
  ['clusterrolebinding', 'selvedge:node-autoapprove-rotation'],
  ['--namespace=kube-public', 'configmap', 'cluster-info'],
  ['--namespace=kube-public', 'rolebinding', 'kubeadm:bootstrap-signer-clusterinfo'],
  ['--namespace=kube-public', 'role', 'kubeadm:bootstrap-signer-clusterinfo'],
] as const;

beforeAll(async () => {
  world = await startManagerWorld();
  for (const args of prepared) await world.kubectl(['delete', ...args]);
  flags = ['--kubeconfig', world.cluster.controlPlane.kubeconfig];
  // As a conversion leaves it.
  const inventory = {
    version: '0.0.0',
    mode: 'deployment',
    complete: true,
    tunnelServers: [tunnelServer],
    entries: [],
  };
  const data = { 'inventory.json': JSON.stringify(inventory) };
  await world.admin.create(resources.configMaps, { metadata: inventoryAt, data }, { signal });
  const { certificate, key } = await world.cluster.controlPlane.issue({ commonName: 'cloud-manager' });
  const stringData = { 'tls.crt': certificate, 'tls.key': key };
  await world.admin.create(resources.secrets, { metadata: secretAt, stringData }, { signal });
  const manager = await world.startManager('cloud-1');
  // Nothing here is about who is slow.
  const input = (await world.printWebhook(manager)).replaceAll(/timeoutSeconds: \d+/g, 'timeoutSeconds: 30');
  await world.kubectl(['apply', '--server-side', '--filename', '-'], { input });
});
afterAll(() => world?.[Symbol.asyncDispose]());

const run = (...args: readonly string[]): Promise<Ran> => selvedge([...args, ...flags]);
const program = (...args: readonly string[]): Promise<Ran> => spawnSelvedge([...args, ...flags]);

/** The result of a run that has to go well. */
async function result<const K extends keyof typeof documents>(
  kind: K,
  ...args: readonly string[]
): Promise<ReturnType<(typeof documents)[K]['parse']>> {
  const ran = await run(...args, '--json');
  for (const line of ran.lines()) progressLine.parse(line);
  expect([ran.code, ran.code === 0 ? '' : ran.stderr]).toEqual([0, '']);
  return documents[kind].parse(ran.document()) as ReturnType<(typeof documents)[K]['parse']>;
}

/** Its holder, as a machine is one that joins. */
const holderOf = (token: string): KubeClient => {
  const credentials = { certificateAuthority: world.cluster.controlPlane.ca, bearerToken: token };
  return connectWith(world.cluster.url, credentials);
};

/** 'taken', or what the API server says to somebody who asks for the certificate of a node. */
async function askToJoin(token: string, node: string): Promise<string> {
  const holder = holderOf(token);
  const pem = await newRequest({ subject: `O=system:nodes, CN=system:node:${node}` });
  const spec = {
    request: Buffer.from(pem).toString('base64'),
    signerName: 'kubernetes.io/kube-apiserver-client-kubelet',
    usages: ['digital signature', 'client auth'],
  };
  const request = { metadata: { generateName: 'joining-' }, spec };
  try {
    await holder.create(resources.certificateSigningRequests, request, { signal, dryRun: true });
    return 'taken';
  } catch (error) {
    return (error as Error).message;
  } finally {
    await holder.close();
  }
}

describe('token create', () => {
  test('shows all that the cluster lacks, and with --dry-run does none of it', async () => {
    const plan = await result('Plan', 'token', 'create', '--dry-run');
    const whats = plan.parts.flatMap(({ changes }) => changes.map(({ what }) => what));
    expect(whats.filter((what) => /ClusterRoleBinding selvedge:/.test(what))).toHaveLength(3);
    expect(whats).toContainEqual(expect.stringMatching(/ConfigMap kube-public\/cluster-info/));
    expect(whats.at(-1)).toBe('create a bootstrap token for any new node');
    expect(plan.warnings).toContainEqual(expect.stringMatching(/anyone who gets hold of this token/));
    expect((await result('TokenList', 'token', 'list')).tokens).toEqual([]);
    await expect(world.kubectl(['get', 'clusterrolebinding', 'selvedge:node-bootstrapper'])).rejects.toThrow(
      /not found/,
    );
  });

  test('does nothing where nobody can be asked, and says which flag does', async () => {
    const ran = await run('token', 'create');
    expect(ran).toMatchObject({ code: 2, stdout: '' });
    expect(ran.stderr).toMatch(/cannot ask for confirmation.*\n.* next +use --yes/);
    expect(ran.stderr).toContain('let tokens of selvedge request certificates');
    expect((await result('TokenList', 'token', 'list')).tokens).toEqual([]);
  });

  test('makes a token by which a machine joins, and the secret of which is in its result alone', async () => {
    const { result: ran, seen } = await argumentsDuring(() => program('token', 'create', '--yes', '--json'));
    const made = documents.TokenCreated.parse(ran.document());
    expect(made.caHash).toBe(world.cluster.caHash);
    expect(made.server).toBe(world.cluster.url);
    expect(made.join.join()).not.toContain(made.token);
    const secret = made.token.split('.')[1] ?? '';
    expect([...seen].filter((line) => line.includes(secret))).toEqual([]);
    expect(ran.stderr).not.toContain(secret);
    const list = await run('token', 'list');
    expect(list.stdout).toMatch(new RegExp(`^${made.id} +(1 h \\d+ min|2 h) +any +-$`, 'm'));
    expect((await run('token', 'list', '--json')).stdout + list.stdout).not.toContain(secret);

    await using node = await createEdgeNode(world.cluster, 'joins');
    await node.writeToken(made.token);
    const edgeLite = await node.start({
      server: { urls: [made.server], caHash: made.caHash, tokenFile: `${node.root}/token` },
    });
    await until('the Node', () => node.node());
    expect(JSON.stringify([edgeLite.lines, edgeLite.output])).not.toContain(secret);
  });

  test('has nothing to prepare the second time', async () => {
    const plan = await result('Plan', 'token', 'create', '--dry-run', '--node', 'shop-1');
    expect(plan.parts).toEqual([
      { where: 'token', changes: [{ what: 'create a bootstrap token for node shop-1 only' }] },
    ]);
  });

  test('leaves what it made to be taken back with the rest of the cloud', async () => {
    const { data = {} } = await world.admin.get(resources.configMaps, inventoryAt, { signal });
    const { entries } = JSON.parse(data['inventory.json'] ?? '') as {
      readonly entries: readonly { readonly place: { readonly name: string }; readonly uid?: string }[];
    };
    expect(entries.map(({ place }) => place.name)).toEqual([
      'selvedge:node-bootstrapper',
      'selvedge:node-autoapprove-bootstrap',
      'selvedge:node-autoapprove-rotation',
      'cluster-info',
      'selvedge:cluster-info',
      'selvedge:cluster-info',
    ]);
    expect(entries.every(({ uid }) => uid !== undefined)).toBe(true);
  });

  test('publishes the CA of the tunnel certificate and opens what kubelets are told, to machines that join', async () => {
    const authority = newTunnelAuthority(Date.now());
    const serving = newTunnelCertificate({ names: ['tunnel.example.com'], now: Date.now() }, authority);
    const ca = authority.certificate;
    const data = { 'tls.crt': serving.certificate, 'tls.key': serving.key, 'ca.crt': ca };
    await world.admin.patch(resources.secrets, secretAt, {
      patch: mergePatch({ stringData: data }),
      signal,
    });
    const kubelet = { metadata: kubeletConfig.at, data: { kubelet: 'clusterDNS: [10.96.0.10]\n' } };
    await world.admin.create(resources.configMaps, kubelet, { signal });
    const { token } = await result('TokenCreated', 'token', 'create', '--yes');
    const holder = holderOf(token);
    const read = async (config: JoinConfig): Promise<string | undefined> =>
      (await holder.get(resources.configMaps, config.at, { signal })).data?.[config.key];
    expect(await until('the CA', () => read(tunnelCaConfig))).toBe(ca);
    expect(await until('the DNS', () => read(kubeletConfig))).toBe(kubelet.data.kubelet);
    await expect(holder.get(resources.secrets, secretAt, { signal })).rejects.toMatchObject({
      code: 'Forbidden',
    });
    await holder.close();
    const again = await result('Plan', 'token', 'create', '--dry-run');
    expect(again.parts.map(({ where }) => where)).toEqual(['token']);
  });

  test('binds a token to nodes and them to a unit', async () => {
    await result('UnitCreated', 'unit', 'create', 'tokens', '--yes');
    const args = ['token', 'create', '--node', 'shop.7', '--unit', 'tokens', '--ttl', '30m', '--yes'];
    const made = await result('TokenCreated', ...args);
    expect(made).toMatchObject({ nodes: ['shop.7'], unit: 'tokens' });
    expect(made.join).toEqual(
      expect.arrayContaining(['--node-name', 'shop.7', '--unit', 'tokens', '--tunnel-server', tunnelServer]),
    );
    expect(await askToJoin(made.token, 'shop.7')).toBe('taken');
    expect(await askToJoin(made.token, 'shop.8')).toMatch(/the bootstrap token is not for node shop\.8/);
    const { tokens } = await result('TokenList', 'token', 'list');
    const found = tokens.find(({ id }) => id === made.id);
    expect(found).toMatchObject({ unit: 'tokens', nodes: ['shop.7'], isExpired: false });
    expect(found?.groups).toContain(bootstrapGroupOf('shop.7'));
    // The node does not say where it belongs: it belongs there as soon as it is.
    await world.addNode('shop.7');
    await until('the new member', async () => {
      const { units } = await result('UnitList', 'unit', 'list');
      return units.some(({ name, members }) => name === 'tokens' && members[0]?.name === 'shop.7');
    });
  });

  testTokenMakers(() => world);

  test.each([
    ['a unit that is not there', ['--node', 'a', '--unit', 'nowhere'], 1, /unit nowhere not found/],
    ['a unit and no node', ['--unit', 'tokens'], 2, /--unit needs --node/],
    ['a life of a year', ['--ttl', '365d'], 2, /must be between 1m and 30d/],
    ['a server that is none', ['--server', 'http://x'], 2, /is not the URL of an API server/],
  ])('refuses %s', async (_what, args, code, message) => {
    const ran = await run('token', 'create', '--yes', ...args);
    expect(ran).toMatchObject({ code, stdout: '' });
    expect(ran.stderr).toMatch(message);
  });
});

describe('a token', () => {
  test('opens nothing after it expired', async () => {
    const { token, id } = await result('TokenCreated', 'token', 'create', '--yes');
    const holder = holderOf(token);
    const review = (): Promise<unknown> =>
      holder.create(resources.selfSubjectReviews, { metadata: {} }, { signal });
    await review();
    const expiration = Buffer.from('2026-01-01T00:00:00Z').toString('base64');
    await world.admin.patch(
      resources.secrets,
      { namespace: 'kube-system', name: `bootstrap-token-${id}` },
      { patch: mergePatch({ data: { expiration } }), signal },
    );
    await until('its end', async () => {
      const error = await review().catch((cause: unknown) => cause);
      return hasCode(error, 'Unauthenticated');
    });
    await holder.close();
  });

  test('is deleted by its id, with what it signed; a second time there is nothing to delete', async () => {
    const { id, token } = await result('TokenCreated', 'token', 'create', '--yes');
    const wrong = await run('token', 'delete', token, '--yes');
    expect(wrong).toMatchObject({ code: 2 });
    expect(wrong.stderr).not.toContain(token.slice(7));
    expect(await result('TokensDeleted', 'token', 'delete', id, '--yes')).toMatchObject({ deleted: [id] });
    const { data = {} } = await world.admin.get(
      resources.configMaps,
      { namespace: 'kube-public', name: 'cluster-info' },
      { signal },
    );
    expect(Object.keys(data)).not.toContain(`jws-kubeconfig-${id}`);
    expect(await result('TokensDeleted', 'token', 'delete', id)).toMatchObject({ deleted: [], absent: [id] });
  });

  test('is signed as the bootstrapsigner of the cluster signs it', async () => {
    const { id } = await result('TokenCreated', 'token', 'create', '--yes');
    const at = { namespace: 'kube-public', name: 'cluster-info' };
    const key = `jws-kubeconfig-${id}`;
    const signature = async (): Promise<string | undefined> =>
      (await world.admin.get(resources.configMaps, at, { signal })).data?.[key];
    const ours = await signature();
    await world.admin.patch(resources.configMaps, at, {
      patch: mergePatch({ data: { [key]: null } }),
      signal,
    });
    expect(await until('theirs', signature)).toBe(ours);
  });
});

describe('unit', () => {
  const shops = defineResource({
    apiVersion: 'selvedge.io/v1alpha1',
    kind: 'EdgeUnit',
    plural: 'edgeunits',
    namespaced: false,
  });

  test('create is done once, and refuses to make it otherwise', async () => {
    const args = ['unit', 'create', 'shop-1', '--nodes', 'till-1,till-2', '--autonomy', '24h', '--yes'];
    expect(await result('UnitCreated', ...args)).toMatchObject({ isNew: true });
    expect(await result('UnitCreated', ...args)).toMatchObject({ isNew: false });
    const other = await run('unit', 'create', 'shop-1', '--nodes', 'till-3', '--yes');
    expect(other).toMatchObject({ code: 1 });
    expect(other.stderr).toMatch(/unit shop-1 exists with a different spec.*\n.* next +.*selvedge unit move/);
    const stolen = await run('unit', 'create', 'shop-2', '--nodes', 'till-2', '--yes');
    expect(stolen.stderr).toMatch(/node till-2 belongs to unit shop-1/);
  });

  test('move takes a node from one to the other and waits until both are settled', async () => {
    await world.addNode('till-9');
    await result('UnitCreated', 'unit', 'create', 'from', '--nodes', 'till-9', '--yes');
    await result('UnitCreated', 'unit', 'create', 'to', '--yes');
    await until('the member', async () => {
      const { units } = await result('UnitList', 'unit', 'list');
      return units.find(({ name }) => name === 'from')?.members.length === 1;
    });
    const move = ['unit', 'move', 'till-9', 'to', '--timeout', '5m'];
    expect(await result('NodeMoved', ...move, '--yes')).toMatchObject({ left: ['from'], unit: 'to' });
    const node = await world.admin.get(resources.nodes, { name: 'till-9' }, { signal });
    expect(node.metadata.labels?.['selvedge.node-restriction.kubernetes.io/unit']).toBe('to');
    expect((await result('Plan', ...move, '--dry-run')).parts).toEqual([]);
  });

  test('move is told to be planned anew if somebody changes a unit meanwhile', async () => {
    await result('UnitCreated', 'unit', 'create', 'busy', '--yes');
    const progress: Progress = { task: (_title, work) => work(progress), note: () => undefined };
    const agree = async (): Promise<boolean> => {
      const args = ['--type=merge', '--patch', '{"spec":{"autonomy":"1h"}}'];
      await world.kubectl(['patch', 'edgeunit', 'busy', ...args]);
      return true;
    };
    const deps = {
      cluster: world.admin,
      progress,
      agree,
      signal,
      clock: systemClock,
      random: () => 0.5,
      version: '',
    };
    const moving = moveNode({ node: 'till-11', unit: 'busy', timeoutMs: 60_000 }, deps);
    await expect(moving).rejects.toMatchObject({
      code: 'Conflict',
      message: 'edgeunits.selvedge.io busy was modified concurrently',
    });
  });

  test('move turns labels where units select by them', async () => {
    const key = 'shops.node-restriction.kubernetes.io/shop';
    await world.addNode('till-10');
    await world.kubectl(['label', 'node', 'till-10', `${key}=3`]);
    await result('UnitCreated', 'unit', 'create', 'shop-3', '--selector', `${key}=3`, '--yes');
    await result('UnitCreated', 'unit', 'create', 'shop-4', '--selector', `${key}=4`, '--yes');
    const ran = await result('NodeMoved', 'unit', 'move', 'till-10', 'shop-4', '--timeout', '5m', '--yes');
    expect(ran.unit).toBe('shop-4');
    await world.admin.get(shops, { name: 'shop-3' }, { signal });
    const node = await world.admin.get(resources.nodes, { name: 'till-10' }, { signal });
    expect(node.metadata.labels?.[key]).toBe('4');
  });
});

describe('--json', () => {
  test('has what check, status and support-dump find', async () => {
    const ran = await run('check', '--json');
    const check = documents.CheckResult.parse(ran.document());
    expect(ran.code).toBe(check.counts.error > 0 ? 3 : 0);
    expect(check.findings.length).toBe(Object.values(check.counts).reduce((sum, count) => sum + count));
    const status = await result('StatusResult', 'status');
    expect(status.nodes.map(({ name }) => name)).toContain('shop.7');
    const file = join(await mkdtemp(join(tmpdir(), 'support-')), 'dump.tar.gz');
    const dump = await result('SupportDumpResult', 'support-dump', '--output', file);
    expect((await stat(file)).size).toBe(dump.bytes);
    const again = await run('support-dump', '--output', file);
    expect(again.stderr).toMatch(/already exists/);
    await rm(dirname(file), { recursive: true });
  });
});

import { hasCode } from '@selvedge/kit';
import { labels, managerNamespace } from '@selvedge/api';
import { type KubeClient, mergePatch, resources } from '@selvedge/kube';
import type { CertificateSigningRequest } from '@selvedge/kube/types';
import { edgeUnitResource } from '@selvedge/unit-controller';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { text as readAll } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newRequest } from '../../packages/cloud-manager/src/csr/testing.ts';
import type { KeyPair } from '../bed/pki/certificate.ts';
import {
  type ManagerWorld,
  type RunningManager,
  edgeNodeResource,
  signal,
  startManagerWorld,
  until,
} from './manager-world.ts';

let world: ManagerWorld;
let one: RunningManager;
let two: RunningManager;
let admin: KeyPair;

beforeAll(async () => {
  world = await startManagerWorld();
  one = await world.startManager('cloud-1');
  two = await world.startManager('cloud-2');
  await world.kubectl(['apply', '--server-side', '--filename=-'], { input: await world.printWebhook(one) });
  admin = await world.cluster.controlPlane.issue({ commonName: 'root', organizations: ['system:masters'] });
});
afterAll(() => world[Symbol.asyncDispose]());

interface Asked {
  readonly name: string;
  readonly subject: string;
  readonly dnsName?: string;
  readonly signerName?: string;
}

async function ask(as: KubeClient, { name, subject, dnsName, ...rest }: Asked): Promise<void> {
  const pem = await newRequest({
    subject,
    names:
      dnsName === undefined
        ? []
        : [
            { type: 'dns', value: dnsName },
            { type: 'ip', value: '192.0.2.10' },
          ],
  });
  const spec = {
    request: Buffer.from(pem).toString('base64'),
    signerName: rest.signerName ?? 'kubernetes.io/kubelet-serving',
    usages: ['digital signature', 'server auth'],
  };
  await as.create(resources.certificateSigningRequests, { metadata: { name }, spec }, { signal });
}

const csr = (name: string): Promise<CertificateSigningRequest> =>
  world.admin.get(resources.certificateSigningRequests, { name }, { signal });

const conditionsOf = async (name: string): Promise<readonly string[]> =>
  ((await csr(name)).status?.conditions ?? []).map(({ type, reason }) => `${type} ${reason}`);

describe('a node that witnesses', () => {
  const path = '/autonomy/v1alpha1/reports';
  const post = async (
    { ports }: RunningManager,
    identity: Partial<KeyPair>,
    node: string,
  ): Promise<{ readonly status: number; readonly body: string }> => {
    const body = JSON.stringify({ reports: [{ node, alive: true, ageSeconds: 1 }] });
    const pair = { cert: identity.certificate, key: identity.key };
    const { ca } = world.cluster.controlPlane;
    const options = {
      host: '127.0.0.1',
      port: ports.health,
      path,
      method: 'POST',
      ca,
      agent: false,
      ...pair,
    };
    const sent = httpsRequest(options).end(body);
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    return { status: response.statusCode ?? 0, body: await readAll(response) };
  };

  test('is heard by the leader about its own unit, by its certificate', async () => {
    const pair = await world.addNode('watch-1');
    await world.addNode('watch-2');
    const unit = { metadata: { name: 'watch' }, spec: { members: { names: ['watch-1', 'watch-2'] } } };
    await world.admin.create(edgeUnitResource, unit, { signal });
    // Whoever asks too often is not heard: first the unit is there.
    await until('members', async () => {
      const { status } = await world.admin.get(edgeUnitResource, { name: 'watch' }, { signal });
      return status?.members?.length === 2;
    });
    const statuses = await until('a testimony', async () => {
      const answers = await Promise.all([one, two].map((server) => post(server, pair, 'watch-2')));
      const isHeard = answers.some(({ body }) => body.includes('"heard":1'));
      return isHeard && answers.map(({ status }) => status);
    });
    expect(new Set(statuses)).toEqual(new Set([200, 503]));
    const leader = statuses[0] === 200 ? one : two;
    expect((await post(leader, pair, 'shop-1')).body).toContain('no member of your unit');
    expect(await post(leader, admin, 'watch-2')).toMatchObject({ status: 403 });
    expect(await post(leader, {}, 'watch-2')).toMatchObject({ status: 401 });
  });
});

describe('a certificate request', () => {
  const subject = 'O=system:nodes, CN=system:node:shop-1';
  let node: KubeClient;
  beforeAll(async () => {
    node = world.client(await world.addNode('shop-1'));
    await world.addNode('shop-2');
  });

  test('of a node for its own names is approved, and the cluster signs it', async () => {
    await ask(node, { name: 'own', subject, dnsName: 'shop-1' });
    const certificate = await until('a certificate', async () => (await csr('own')).status?.certificate);
    const { subjectAltName } = new X509Certificate(Buffer.from(certificate, 'base64'));
    expect(subjectAltName).toBe('DNS:shop-1, IP Address:192.0.2.10');
    expect(await conditionsOf('own')).toEqual(['Approved SelvedgeKubeletServing']);
  });

  test('for anything else is left alone', async () => {
    const pair = await world.cluster.controlPlane.issue({
      commonName: 'jane',
      organizations: ['system:masters'],
    });
    const jane = world.client(pair);
    // The API server itself keeps nodes from asking in the name of another.
    const other = 'O=system:nodes, CN=system:node:shop-2';
    const asked = ask(node, { name: 'of-another', subject: other, dnsName: 'shop-2' });
    await expect(asked).rejects.toThrow(/can only create a node CSR with CN=system:node:shop-1/);
    await ask(jane, { name: 'in-the-name-of-another', subject: other, dnsName: 'shop-2' });
    await ask(node, { name: 'named-as-another', subject, dnsName: 'shop-2' });
    await ask(jane, { name: 'by-somebody', subject, dnsName: 'shop-1' });
    await ask(jane, {
      name: 'for-another-signer',
      subject,
      dnsName: 'shop-1',
      signerName: 'example.com/tls',
    });
    const told = (name: string): boolean =>
      [one, two].some(({ lines }) =>
        lines.some(({ text, request }) => /left alone/.test(text) && request === name),
      );
    for (const name of ['in-the-name-of-another', 'named-as-another', 'by-somebody', 'for-another-signer']) {
      await until(`a decision about ${name}`, async () => told(name));
      expect(await conditionsOf(name)).toEqual([]);
    }
  });

  test('of a banned node is denied, and no further one is taken, with a bootstrap token neither', async () => {
    await world.admin.create(
      edgeNodeResource,
      { metadata: { name: 'shop-1' }, spec: { banned: true } },
      { signal },
    );
    await until('the denial', async () => (await conditionsOf('named-as-another')).length > 0);
    expect(await conditionsOf('named-as-another')).toEqual(['Denied SelvedgeNodeBanned']);
    const pair = await world.cluster.controlPlane.issue({
      commonName: 'system:bootstrap:abcdef',
      organizations: ['system:bootstrappers'],
    });
    const signerName = 'kubernetes.io/kube-apiserver-client-kubelet';
    for (const asker of [node, world.client(pair)]) {
      // Who has a token is refused for two reasons, of which the API server tells one.
      const asked = ask(asker, { name: 'anew', subject, signerName });
      await expect(asked).rejects.toThrow(/node shop-1 (is banned|already)/);
    }
    const other = 'O=system:nodes, CN=system:node:shop-9';
    await ask(world.client(pair), { name: 'shop-9', subject: other, signerName });
  });
});

describe('health', () => {
  test('is told to anybody, the metrics to who may have them', async () => {
    expect(await one.get('/livez')).toEqual({ status: 200, body: 'ok\n' });
    expect(await one.get('/readyz?verbose')).toEqual({ status: 200, body: 'ok\n' });
    expect((await one.get('/metrics')).status).toBe(401);
    expect((await one.get('/metrics', 'made-up')).status).toBe(401);
    const nobody = await world.cluster.controlPlane.issue({ commonName: 'nobody' });
    expect((await one.get('/metrics', nobody)).status).toBe(403);
    const { status, body } = await one.get('/metrics', admin);
    expect(status).toBe(200);
    expect(body).toMatch(/^selvedge_manager_ready\{check="serving"\} 1$/m);
    expect(body).toMatch(/^selvedge_csr_decisions_total\{decision="approve"\} 1$/m);
    expect(body).toMatch(/^selvedge_admission_reviews_total\{webhook="ban",outcome="denied"\} 2$/m);
    const { stdout } = await world.kubectl(['create', 'token', 'cloud-manager', '-n', managerNamespace]);
    expect((await one.get('/metrics', stdout.trim())).status).toBe(403);
    expect((await one.get('/')).status).toBe(404);
  });
});

const leads = async (manager: RunningManager): Promise<boolean> =>
  /^selvedge_manager_leader 1$/m.test((await manager.get('/metrics', admin)).body);

/** When that server led, by its log, in milliseconds since the epoch. */
function terms({ lines }: RunningManager): readonly (readonly [fromMs: number, toMs: number])[] {
  const moves = lines.filter(
    ({ text, machine }) => text === 'state changed' && machine === 'leader election',
  );
  return moves.flatMap(({ to, time }, index) => {
    if (to !== 'leading') return [];
    const end = moves[index + 1]?.['time'] as string | undefined;
    return [[Date.parse(time as string), end === undefined ? Infinity : Date.parse(end)] as const];
  });
}

function expectOneLeaderAtATime(managers: readonly RunningManager[]): void {
  const all = managers.flatMap(terms).toSorted(([a], [b]) => a - b);
  expect(all.length).toBeGreaterThan(1);
  const overlaps = all.slice(1).filter(([from], index) => from < (all[index]?.[1] ?? 0));
  expect(overlaps).toEqual([]);
}

const zoneOf = async (name: string): Promise<string | undefined> =>
  (await world.admin.get(resources.nodes, { name }, { signal })).metadata.labels?.[labels.zone];

describe('several servers', () => {
  test('keep their tunnels and have no leader while the API server is away, and one after that', async () => {
    const agent = await world.startAgent(await world.addNode('shop-5'), [one, two]);
    await until('the sessions', async () => (await world.edgeNode('shop-5'))?.status?.sessionCount === 2);
    const leader = (await leads(one)) ? one : two;
    await world.cluster.controlPlane.stopApiServer('kill');
    await leader.line('no longer the leader');
    expect(agent.links.map(({ state }) => state.kind)).toEqual(['up', 'up']);
    await world.cluster.controlPlane.startApiServer();
    await until('a leader', async () => (await leads(one)) || (await leads(two)));
    expectOneLeaderAtATime([one, two]);
    await agent.stop();
    await until('no sessions', async () => (await world.edgeNode('shop-5'))?.status?.sessionCount === 0);
  });

  test('go on when the leader is killed: another leads, keeps units and takes its sessions away', async () => {
    await world.addNode('shop-8');
    const metadata = { name: 'shop' };
    const spec = { members: { names: ['shop-8'] }, zone: 'old' };
    await world.admin.create(edgeUnitResource, { metadata, spec }, { signal });
    await until('the zone', async () => (await zoneOf('shop-8')) === 'old');
    const agent = await world.startAgent(await world.addNode('shop-6'), [one, two]);
    await until('the sessions', async () => (await world.edgeNode('shop-6'))?.status?.sessionCount === 2);
    const [killed, other] = (await leads(one)) ? [one, two] : [two, one];
    killed.signal('SIGKILL');
    await killed.exited;
    const patch = mergePatch({ spec: { zone: 'new' } });
    await world.admin.patch(edgeUnitResource, metadata, { patch, signal });
    await until('another leader', () => leads(other));
    await until('the other zone', async () => (await zoneOf('shop-8')) === 'new');
    // Its Lease has 40 seconds to go: a person who knows better says so.
    const lease = { namespace: managerNamespace, name: `tunnel-server.${killed.server}` };
    await world.admin.delete(resources.leases, lease, { signal });
    await until('only the other session', async () => {
      const { sessions, sessionCount } = (await world.edgeNode('shop-6'))?.status ?? {};
      return sessionCount === 1 && sessions?.[0]?.server === other.server;
    });
    await agent.stop();
    await until('no session', async () => (await world.edgeNode('shop-6'))?.status?.sessionCount === 0);
    one = other;
  });

  test('end in order: the Leases are given up, and the exit code is 0', async () => {
    const before = one.lines.length;
    one.signal('SIGTERM');
    expect(await one.exited).toBe(0);
    const said = one.lines.slice(before).filter(({ level }) => level === 'error' || level === 'warn');
    expect(said).toEqual([]);
    const at = (name: string) => ({ namespace: managerNamespace, name });
    const lease = await world.admin.get(resources.leases, at('cloud-manager'), { signal });
    expect(lease.spec?.holderIdentity).toBeUndefined();
    const own = world.admin.get(resources.leases, at(`tunnel-server.${one.server}`), { signal });
    expect(await own.catch((error: unknown) => hasCode(error, 'NotFound'))).toBe(true);
  });

  test('are not needed for nodes to write, nor for a ban to stay', async () => {
    const node = world.client(await world.addNode('shop-7'));
    const metadata = { namespace: 'kube-node-lease', name: 'shop-7' };
    await node.create(resources.leases, { metadata, spec: { holderIdentity: 'shop-7' } }, { signal });
    const deletion = world.admin.delete(edgeNodeResource, { name: 'shop-1' }, { signal });
    await expect(deletion).rejects.toThrow(/set spec.banned to false before you delete it/);
  });
});

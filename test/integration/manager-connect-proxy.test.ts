import { createPrivateKey, sign } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { systemClock } from '@selvedge/kit';
import { mergePatch, resources } from '@selvedge/kube';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectRequest, dialTls, headOf } from '../../packages/cloud-manager/src/egress/testing.ts';
import { type KeyPair, newAuthority, openAuthority } from '../bed/pki/certificate.ts';
import { type Target, startEcho } from '../contract/tunnel-world.ts';
import { type ManagerWorld, type RunningManager, signal, startManagerWorld, until } from './manager-world.ts';

/** Service accounts: one with the role, one with it for another node only, one without. */
const accounts = ['scraper', 'elsewhere', 'nobody'] as const;
const audience = 'selvedge';
const role = join(import.meta.dirname, '../../deploy/rbac/selvedge-edge-client.yaml');

let world: ManagerWorld;
let folder: string;
let manager: RunningManager;
let target: Target;

const subjectOf = (name: string): object => ({ kind: 'ServiceAccount', namespace: 'default', name });
const bindingTo = (name: string, to: string): object => ({
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRoleBinding',
  metadata: { name },
  roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: to },
  subjects: [subjectOf(name)],
});
const oneNode = {
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRole',
  metadata: { name: 'one-node' },
  rules: [{ apiGroups: [''], resources: ['nodes/proxy'], resourceNames: ['shop-2'], verbs: ['connect'] }],
};

async function tokenOf(account: (typeof accounts)[number], of: string = audience): Promise<string> {
  return (await world.kubectl(['create', 'token', account, `--audience=${of}`])).stdout.trim();
}

const base64 = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** As the API server signed it an hour ago, for ten minutes. */
async function expiredToken(): Promise<string> {
  const { kubeconfig } = world.cluster.controlPlane;
  const key = createPrivateKey(await readFile(join(dirname(kubeconfig), 'pki/sa.key')));
  const token = await tokenOf('scraper');
  const [head = '', body = ''] = token.split('.');
  const claims = JSON.parse(Buffer.from(body, 'base64url').toString()) as Record<string, number>;
  const hour = 3_600;
  const { iat = 0, nbf = 0 } = claims;
  const old = base64({ ...claims, iat: iat - hour, nbf: nbf - hour, exp: iat - hour + 600 });
  const { alg } = JSON.parse(Buffer.from(head, 'base64url').toString()) as { readonly alg: string };
  const digest = alg.startsWith('RS') ? { key } : { key, dsaEncoding: 'ieee-p1363' as const };
  const signature = sign('sha256', Buffer.from(`${head}.${old}`), digest);
  return `${head}.${old}.${signature.toString('base64url')}`;
}

interface Asked {
  readonly head: string;
  /** What comes back for what is said, through the stream. */
  readonly say: (words: string) => Promise<string>;
}

/** The answer to a `CONNECT` of who shows that. */
async function ask(authority: string, shown: { token?: string; pair?: KeyPair } = {}): Promise<Asked> {
  const { token, pair } = shown;
  const { ca } = world.cluster.controlPlane;
  const socket = await dialTls({
    port: manager.ports.connectProxy ?? 0,
    ca,
    ...(pair === undefined ? {} : { pair }),
  });
  const headers = token === undefined ? [] : [`Proxy-Authorization: Bearer ${token}`];
  socket.write(connectRequest(authority, ...headers));
  const head = await headOf(socket);
  if (!head.includes(' 200 ')) socket.destroy();
  return {
    head,
    say: async (words) => {
      socket.write(words);
      const [said] = (await once(socket, 'data')) as [Buffer];
      socket.destroy();
      return said.toString();
    },
  };
}

beforeAll(async () => {
  world = await startManagerWorld();
  folder = await mkdtemp(join(tmpdir(), 'selvedge-connect-'));
  const { controlPlane } = world.cluster;
  const pair = await controlPlane.issue({ commonName: 'proxy', addresses: ['127.0.0.1'] });
  await writeFile(join(folder, 'crt'), pair.certificate);
  await writeFile(join(folder, 'key'), pair.key, { mode: 0o600 });
  const files = { certificateFile: join(folder, 'crt'), keyFile: join(folder, 'key') };
  manager = await world.startManager('one', {
    connectProxy: { listen: '127.0.0.1:0', ...files, audiences: [audience] },
  });
  await world.kubectl(['apply', '--server-side', '--filename', role]);
  const items = [oneNode, bindingTo('scraper', 'selvedge:edge-client'), bindingTo('elsewhere', 'one-node')];
  const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
  await world.kubectl(['create', '--filename=-'], { input: list });
  for (const account of accounts) await world.kubectl(['create', 'serviceaccount', account]);
  target = await startEcho();
  const shop = await world.addNode('shop-1');
  const spec = { nodeName: 'shop-1', containers: [{ name: 'main', image: 'x' }] };
  const at = { namespace: 'default', name: 'web' };
  await world.admin.create(resources.pods, { metadata: at, spec }, { signal });
  const status = { phase: 'Running', podIP: '10.244.7.5', podIPs: [{ ip: '10.244.7.5' }] };
  const patch = { patch: mergePatch({ status }), subresource: 'status', signal };
  await world.admin.patch(resources.pods, at, patch);
  await world.startAgent(shop, [manager], {
    allow: () => ({ kind: 'allowed', connect: { host: '127.0.0.1', port: target.port } }),
  });
  await until('the session', async () => (await world.edgeNode('shop-1'))?.status?.sessionCount === 1);
  const token = await tokenOf('scraper');
  await until('the pod to be known', async () =>
    (await ask('10.244.7.5:8080', { token })).head.includes(' 200 '),
  );
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await target[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

describe('a client with the role', () => {
  test.each(['shop-1:10250', 'shop-1.nodes.selvedge:10250', '10.244.7.5:8080'])(
    'has a stream to %s with its service account’s token',
    async (authority) => {
      const { say } = await ask(authority, { token: await tokenOf('scraper') });
      expect(await say('hello')).toBe('hello');
    },
  );

  test('is refused what is not at the edge, and reads why', async () => {
    const token = await tokenOf('scraper');
    expect((await ask('shop-1:22', { token })).head).toMatch(
      /^HTTP\/1\.1 403 of node shop-1 only port 10250/,
    );
    expect((await ask('10.96.0.1:443', { token })).head).toMatch(
      /403 10\.96\.0\.1 is of Service default\/kubern/,
    );
    expect((await ask('example.com:443', { token })).head).toMatch(/403 example\.com:443 is not at the edge/);
  });

  test('may show a certificate of the cluster instead', async () => {
    const admin = { commonName: 'ops', organizations: ['system:masters'], usages: ['client'] as const };
    const pair = await world.cluster.controlPlane.issue({ ...admin, usages: ['client'] });
    expect(await (await ask('shop-1:10250', { pair })).say('hi')).toBe('hi');
  });
});

describe('refused is', () => {
  test('who shows nothing, and is told what to show', async () => {
    expect((await ask('shop-1:10250')).head).toMatch(
      /^HTTP\/1\.1 407 [^]*\r\nproxy-authenticate: Bearer\r\n/,
    );
  });

  test('a token for another audience', async () => {
    const token = await tokenOf('scraper', 'https://kubernetes.default.svc.cluster.local');
    expect((await ask('shop-1:10250', { token })).head).toMatch(/^HTTP\/1\.1 407 .*not accepted/);
  });

  test('a token that has expired', async () => {
    const token = await expiredToken();
    expect((await ask('shop-1:10250', { token })).head).toMatch(/^HTTP\/1\.1 407 .*expired/);
  });

  test('a token that somebody else signed', async () => {
    const [head, body] = (await tokenOf('scraper')).split('.');
    const token = `${head}.${body}.${Buffer.alloc(256).toString('base64url')}`;
    expect((await ask('shop-1:10250', { token })).head).toMatch(/^HTTP\/1\.1 407 /);
  });

  test('a certificate of another authority', async () => {
    const foreign = await openAuthority(await newAuthority('foreign', Date.now()), systemClock);
    const pair = await foreign.issue({
      commonName: 'ops',
      organizations: ['system:masters'],
      usages: ['client'],
    });
    expect((await ask('shop-1:10250', { pair })).head).toMatch(/^HTTP\/1\.1 407 /);
  });

  test.each(['nobody', 'elsewhere'] as const)('%s, who has no right to that node', async (account) => {
    const { head } = await ask('shop-1:10250', { token: await tokenOf(account) });
    const user = `system:serviceaccount:default:${account}`;
    expect(head).toContain(`HTTP/1.1 403 ${user} may not connect nodes/proxy of shop-1`);
  });
});

test('what was asked for is counted', async () => {
  const root = await world.cluster.controlPlane.issue({
    commonName: 'root',
    organizations: ['system:masters'],
  });
  const { body } = await manager.get('/metrics', root);
  for (const outcome of ['opened', 'unauthenticated', 'forbidden']) {
    expect(body).toMatch(
      new RegExp(`^selvedge_connect_proxy_requests_total\\{outcome="${outcome}"\\} [1-9]`, 'm'),
    );
  }
  expect(body).toMatch(/^selvedge_connect_proxy_reviews_total\{kind="token",/m);
});

import { generateKeyPairSync, sign } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { hasCode, systemClock } from '@selvedge/kit';
import { resources } from '@selvedge/kube';
import type { Pod, TokenRequest } from '@selvedge/kube/types';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newAuthority, openAuthority } from '../bed/pki/certificate.ts';
import { waitFor } from '../bed/wait.ts';
import { bytesOf } from '../contract/read-api-client.ts';
import { type HubCluster, account, namespace, nodeName, startHubCluster } from './hub-cluster.ts';
import { type HubProcess, type Identity, createHubProcess } from './hub-process.ts';
import { connectWith } from './kube-world.ts';

const { signal } = new AbortController();
const stack = new AsyncDisposableStack();
const maps = `/api/v1/namespaces/${namespace}/configmaps`;
const secrets = `/api/v1/namespaces/${namespace}/secrets`;
const bare = 'bare';

let cluster: HubCluster;
let hub: HubProcess;
let mine: Pod;
let own: string;
const tokens: Record<'again' | 'elsewhere' | 'second' | 'vault' | 'expired' | 'forged' | 'unsigned', string> =
  {
    again: '',
    elsewhere: '',
    second: '',
    vault: '',
    expired: '',
    forged: '',
    unsigned: '',
  };

/** As pods have it unless they do not want it; without one the hub asks for no token in a pod's name. */
async function createPod(name: string, on: string, serviceAccountName = account): Promise<Pod> {
  const sources = [{ serviceAccountToken: { path: 'token' } }];
  const volumes = [
    { name: 'kube-api-access', projected: { sources } },
    { name: 'secret', secret: { secretName: `of-${name}` } },
  ];
  const containers = [{ name: 'main', image: 'main' }];
  await cluster.admin.create(
    resources.secrets,
    { metadata: { namespace, name: `of-${name}` }, stringData: { word: name } },
    { signal },
  );
  const spec = { nodeName: on, serviceAccountName, containers, volumes };
  return cluster.admin.create(resources.pods, { metadata: { namespace, name }, spec }, { signal });
}

const encoded = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const decoded = (part = ''): object => JSON.parse(Buffer.from(part, 'base64url').toString()) as object;

function signed(header: object, claims: object, key: string): string {
  const text = `${encoded(header)}.${encoded(claims)}`;
  return `${text}.${sign('sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
}

async function makeTokens(): Promise<void> {
  const other = await createPod('elsewhere', 'other');
  const second = await createPod('second', nodeName, bare);
  tokens.elsewhere = await cluster.requestToken(other);
  tokens.second = await tokenOf(second, bare);
  tokens.vault = await cluster.requestToken(mine, ['vault']);
  const [header, claims] = own.split('.').slice(0, 2).map(decoded) as [object, object];
  const folder = join(dirname(cluster.controlPlane.kubeconfig), 'pki');
  const key = await readFile(join(folder, 'sa.key'), 'utf8');
  tokens.again = signed(header, claims, key);
  tokens.expired = signed(header, { ...claims, exp: Math.floor(Date.now() / 1_000) - 60 }, key);
  const { privateKey } = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  tokens.forged = signed(header, claims, privateKey);
  tokens.unsigned = `${encoded({ ...header, alg: 'none' })}.${encoded(claims)}.`;
}

async function tokenOf({ metadata: { name = '', uid = '' } }: Pod, of: string): Promise<string> {
  const boundObjectRef = { apiVersion: 'v1', kind: 'Pod', name, uid };
  const body: TokenRequest = { metadata: {}, spec: { audiences: [], boundObjectRef } };
  const to = { namespace, name: of, subresource: 'token' };
  return (
    (await cluster.admin.createSubresource(resources.serviceAccounts, to, { body, signal })).status?.token ??
    ''
  );
}

const rbac = 'rbac.authorization.k8s.io';
async function grantMaps(): Promise<void> {
  const metadata = { namespace, name: 'maps' };
  const rules = [
    { apiGroups: [''], resources: ['configmaps'], verbs: ['get', 'list', 'watch'] },
    { apiGroups: [''], resources: ['events'], verbs: ['create'] },
  ];
  await cluster.admin.create(resources.roles, { metadata, rules }, { signal });
  const roleRef = { apiGroup: rbac, kind: 'Role', name: 'maps' };
  const subjects = [{ kind: 'ServiceAccount', namespace, name: account }];
  await cluster.admin.create(resources.roleBindings, { metadata, roleRef, subjects }, { signal });
}

interface Answer {
  readonly status: number;
  readonly body: string;
}
async function ask(
  identity: Identity,
  path: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const answer = await hub.api(identity).send({ path, headers, signal: AbortSignal.timeout(20_000) });
  return { status: answer.status, body: (await bytesOf(answer)).toString('utf8') };
}
const statusFor = async (...call: Parameters<typeof ask>): Promise<number> => (await ask(...call)).status;

beforeAll(async () => {
  cluster = stack.use(await startHubCluster());
  await cluster.admin.create(resources.serviceAccounts, { metadata: { namespace, name: bare } }, { signal });
  await grantMaps();
  await cluster.admin.create(resources.configMaps, { metadata: { namespace, name: 'a' } }, { signal });
  mine = await createPod('mine', nodeName);
  own = await cluster.requestToken(mine);
  await makeTokens();
  hub = stack.use(await createHubProcess(cluster));
  await hub.start();
});
afterAll(() => stack.disposeAsync());

const foreignPair = async (): Promise<Identity> => {
  const authority = await openAuthority(await newAuthority('kubernetes', systemClock.now()), systemClock);
  const organizations = ['system:nodes', 'system:masters'];
  return authority.issue({ commonName: `system:node:${nodeName}`, organizations, usages: ['client'] });
};

const never = ['vault', 'expired', 'forged', 'unsigned'] as const;

/** `nothing` is the answer to who shows nothing that the hub can read. */
function nobodyElse(nothing: number): void {
  test.each(never)('a token that is %s is 401', async (name) => {
    expect(await statusFor({ token: tokens[name] }, `${maps}?resourceVersion=0`)).toBe(401);
  });

  test('a token that the cluster signed is good, which the others are but for one thing', async () => {
    expect(await statusFor({ token: tokens.again }, `${maps}?resourceVersion=0`)).toBe(200);
  });

  test(`an empty token is ${nothing}, whatever else the request says`, async () => {
    const headers = { 'x-remote-user': 'system:admin', 'x-remote-group': 'system:masters' };
    const nobody = { token: '' };
    expect(await statusFor(nobody, maps, headers)).toBe(nothing);
    expect(await statusFor(nobody, '/selvedge/status', headers)).toBe(nothing);
  });

  test("a certificate of a foreign CA of the same name is nobody's", async () => {
    expect(await statusFor(await foreignPair(), maps)).toBe(nothing);
  });

  test('the certificate of another node is 403', async () => {
    const organizations = ['system:nodes'];
    const pair = await cluster.issue({ commonName: 'system:node:other', organizations, usages: ['client'] });
    expect(await statusFor(pair, `${maps}?resourceVersion=0`)).toBe(403);
  });

  test('a pod reads neither what its neighbour may, nor the page of the hub', async () => {
    expect(await statusFor({ token: own }, `${maps}?resourceVersion=0`)).toBe(200);
    expect([403, 503]).toContain(await statusFor({ token: tokens.second }, `${maps}?resourceVersion=0`));
    expect([403, 503]).toContain(await statusFor({ token: tokens.second }, `${maps}/a`));
    expect([403, 503]).toContain(await statusFor({ token: own }, `${secrets}/of-mine`));
    expect([403, 503]).toContain(await statusFor({ token: own }, '/selvedge/status'));
  });

  test('the node reads the secrets of its own pods only', async () => {
    expect(await statusFor(hub.kubelet, `${secrets}/of-mine`)).toBe(200);
    expect([403, 503]).toContain(await statusFor(hub.kubelet, `${secrets}/of-elsewhere`));
    expect([403, 503]).toContain(await statusFor(hub.kubelet, `${secrets}?resourceVersion=0`));
  });

  test('nobody becomes somebody else by a header', async () => {
    const masters = { 'impersonate-user': 'admin', 'impersonate-group': 'system:masters' };
    expect([403, 503]).toContain(await statusFor({ token: own }, `${maps}?resourceVersion=0`, masters));
    expect([403, 503]).toContain(await statusFor({ token: own }, `${secrets}/of-mine`, masters));
    expect([403, 503]).toContain(await statusFor(hub.kubelet, `${secrets}/of-elsewhere`, masters));
    const proxied = { 'x-remote-user': 'admin', 'x-remote-group': 'system:masters' };
    expect([403, 503]).toContain(await statusFor({ token: own }, `${secrets}/of-mine`, proxied));
  });
}

/** Of what his pod did. */
async function makeEvent(token: string, name: string, of = namespace): Promise<number> {
  const client = connectWith(hub.url, { certificateAuthority: hub.ca, bearerToken: token });
  const involvedObject = { kind: 'Pod', namespace: of, name: 'mine' };
  const event = { metadata: { namespace: of, name }, involvedObject, reason: 'Done', type: 'Normal' };
  try {
    await client.create(resources.events, event, { signal });
    return 201;
  } catch (error) {
    if (!hasCode(error, 'Unavailable')) throw error;
    return 503;
  } finally {
    await client.close();
  }
}

describe('while the cloud is there', () => {
  nobodyElse(401);

  test('who watches is asked about, whether he may make events', async () => {
    const watch = `${maps}?watch=true&resourceVersion=0&timeoutSeconds=1`;
    expect(await statusFor({ token: own }, watch)).toBe(200);
    const asked = (): Promise<string> => ask(hub.kubelet, '/selvedge/metrics').then(({ body }) => body);
    await waitFor({ what: 'the questions' }, systemClock, async () =>
      /access_decisions_total\{source="asked",outcome="denied"\} (?:[3-9]|\d\d)/.test(await asked()),
    );
  });

  test('a token of a pod elsewhere is as good as at the API server', async () => {
    expect(await statusFor({ token: tokens.elsewhere }, `${maps}/a`)).toBe(200);
  });
});

describe('while the cloud is away', () => {
  beforeAll(() => hub.cut());
  afterAll(() => hub.heal());

  nobodyElse(503);

  test('events are kept for who might make them, though he never did, and where he might', async () => {
    expect(await makeEvent(own, 'one')).toBe(201);
    expect(await makeEvent(own, 'two', 'kube-system')).toBe(503);
    expect(await makeEvent(tokens.second, 'three')).toBe(503);
  });

  test('a token of a pod elsewhere is 401, though it was good before', async () => {
    expect(await statusFor({ token: tokens.elsewhere }, `${maps}/a`)).toBe(401);
  });
});

test('the event is in the cloud afterwards', async () => {
  const event = { namespace, name: 'one' };
  await waitFor({ what: 'the event' }, systemClock, (inner) =>
    cluster.admin.get(resources.events, event, { signal: inner }).catch(() => undefined),
  );
});

test('a watch ends once the right to it is withdrawn, and is not opened again', async () => {
  const watch = await hub
    .api({ token: own })
    .send({ path: `${maps}?watch=true&resourceVersion=0`, signal: AbortSignal.timeout(150_000) });
  expect(watch.status).toBe(200);
  const at = { namespace, name: 'maps' };
  await cluster.admin.delete(resources.roleBindings, at, { signal });
  // The hub's own watch, which lives on that pod's right, is opened anew.
  await cluster.controlPlane.stopApiServer();
  await cluster.controlPlane.startApiServer(signal);
  const lines = (await bytesOf(watch)).toString('utf8').trim().split('\n');
  const last = JSON.parse(lines.at(-1) ?? '') as {
    readonly type: string;
    readonly object: { readonly code?: number };
  };
  expect(last).toMatchObject({ type: 'ERROR', object: { kind: 'Status', code: 403 } });
  // As long as the API server, which has just started, answers no reviews, what was allowed before counts.
  await expect.poll(() => statusFor({ token: own }, `${maps}?resourceVersion=0`)).toBe(403);
});

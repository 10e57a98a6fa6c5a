import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { networkInterfaces } from 'node:os';
import type { AddressInfo } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { systemClock } from '@selvedge/kit';
import { resources, type Credentials } from '@selvedge/kube';
import type { SelfSubjectReview, TokenRequest } from '@selvedge/kube/types';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Caller } from '../../packages/edge-lite/src/hub/request.ts';
import type { PrivateControlPlane } from '../bed/control-plane/private-control-plane.ts';
import { waitFor } from '../bed/wait.ts';
import { startConnectProxy } from '../contract/connect-proxy.ts';
import { newTestAuthority, startTestServer } from '../contract/http-server.ts';
import { startResetProxy, type ResetProxy } from '../contract/reset-proxy.ts';
import { get, startUpstream, sumOf, textOf, type UpstreamWorld } from './hub-upstream-world.ts';
import { connect, startControlPlane, type TestClient } from './kube-world.ts';

const { signal } = new AbortController();
const user = { username: 'ignored', groups: [] };
const asNode: Caller = { kind: 'node', user };
const asAdmin: Caller = { kind: 'configured', user, client: 'admin' };
const asToken = (token: string): Caller => ({ kind: 'token', user, token, pod: undefined });
const configMaps = '/api/v1/namespaces/default/configmaps';
/** It is noticed within 10 s, as its unit tests say to the millisecond; the rest is for a busy machine. */
const noticeMs = 25_000;

let controlPlane: PrivateControlPlane;
let admin: TestClient;
let node: Credentials;
let token: string;

const urlOf = ({ port }: { readonly port: number }): string => `https://127.0.0.1:${port}`;
const options = (): Parameters<typeof startUpstream>[1] => ({
  credentials: node,
  tokens: { 'default/till': token },
  clients: [{ name: 'admin', kubeconfig: controlPlane.kubeconfig }],
});

beforeAll(async () => {
  controlPlane = await startControlPlane();
  admin = await connect(controlPlane.kubeconfig);
  const { certificate, key } = await controlPlane.issue({
    commonName: 'system:node:upstream',
    organizations: ['system:nodes'],
    usages: ['client'],
  });
  node = {
    certificateAuthority: controlPlane.ca,
    clientCertificate: { certificate, privateKey: key },
  };
  const at = { namespace: 'default', name: 'till' };
  await admin.client.create(resources.serviceAccounts, { metadata: at }, { signal });
  const body: TokenRequest = {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    metadata: {},
    spec: { audiences: [], expirationSeconds: 3_600 },
  };
  const issued = await admin.client.createSubresource(
    resources.serviceAccounts,
    { ...at, subresource: 'token' },
    { body, signal },
  );
  token = issued.status?.token ?? '';
});
afterAll(async () => {
  await admin?.[Symbol.asyncDispose]();
  await controlPlane?.stop();
});

async function nameOf(world: UpstreamWorld, caller: Caller): Promise<string | undefined> {
  const answer = await world.upstream.send(caller, {
    method: 'POST',
    path: '/apis/authentication.k8s.io/v1/selfsubjectreviews',
    headers: { 'content-type': 'application/json', authorization: 'Bearer of somebody else' },
    body: Buffer.from('{"apiVersion":"authentication.k8s.io/v1","kind":"SelfSubjectReview"}'),
    signal,
  });
  return (JSON.parse(await textOf(answer)) as SelfSubjectReview).status?.userInfo?.username;
}

describe('the upstream while all is well', () => {
  let world: UpstreamWorld;
  beforeAll(async () => {
    world = await startUpstream([urlOf(controlPlane)], options());
    await world.until('online');
  });
  afterAll(() => world?.[Symbol.asyncDispose]());

  it('gives everyone the identity that is theirs, over one connection each', async () => {
    const dialled = sumOf(world.registry, 'selvedge_kube_dials_total');
    for (let i = 0; i < 3; i += 1) {
      expect(await nameOf(world, asNode)).toBe('system:node:upstream');
      expect(await nameOf(world, asToken(token))).toBe('system:serviceaccount:default:till');
      expect(await nameOf(world, asAdmin)).toBe('admin');
    }
    expect(dialled).toBe(1);
    expect(sumOf(world.registry, 'selvedge_kube_dials_total')).toBe(3);
  });

  it('makes no request of its own while it is in use', async () => {
    const before = sumOf(world.registry, 'selvedge_upstream_probes_total');
    for (let i = 0; i < 50; i += 1) await textOf(await world.upstream.send(asNode, get('/version')));
    expect(sumOf(world.registry, 'selvedge_upstream_probes_total')).toBe(before);
    expect(world.registry.render()).toMatch(
      /selvedge_upstream_requests_total\{caller="node",code="200"\} 5\d\n/,
    );
  });

  it('takes a refusal of the API server for an answer', async () => {
    const refused = await world.upstream.send(asToken('forged'), get(configMaps));
    expect(refused.status).toBe(401);
    expect(JSON.parse(await textOf(refused))).toMatchObject({ kind: 'Status', code: 401 });
    expect((await world.upstream.send(asToken(token), get(configMaps))).status).toBe(403);
    expect(world.upstream.connectivity.kind).toBe('online');
    expect(world.told).toHaveLength(1);
  });

  it('sends nothing for an operator', async () => {
    await expect(world.upstream.send({ kind: 'operator', user }, get('/version'))).rejects.toMatchObject({
      code: 'Forbidden',
    });
  });

  it('has clients for sponsors, each with his own rights', async () => {
    const till = world.upstream.clientOf({ kind: 'pod', namespace: 'default', serviceAccount: 'till' });
    await expect(till.list(resources.pods, { namespace: 'default', signal })).rejects.toMatchObject({
      code: 'Forbidden',
      message: expect.stringContaining('system:serviceaccount:default:till') as string,
    });
    const configured = world.upstream.clientOf({ kind: 'configured', client: 'admin' });
    expect((await configured.list(resources.namespaces, { signal })).items.length).toBeGreaterThan(0);
    expect(world.upstream.clientOf({ kind: 'configured', client: 'admin' })).toBe(configured);
    await expect(
      world.upstream.clientOf({ kind: 'node' }).list(resources.secrets, { signal }),
    ).rejects.toMatchObject({ code: 'Forbidden' });
  });

  it('streams a watch, and ends it with its signal', async () => {
    const stop = new AbortController();
    const path = `${configMaps}?watch=true`;
    const watch = await world.upstream.send(asAdmin, get(path, { longRunning: true, signal: stop.signal }));
    await admin.client.create(
      resources.configMaps,
      { metadata: { namespace: 'default', generateName: 'seen-' } },
      { signal },
    );
    const [first] = (await once(watch.body, 'data')) as [Buffer];
    expect(first.toString()).toContain('"type":"ADDED"');
    const closed = once(watch.body, 'close').catch(() => undefined);
    stop.abort(new Error('enough'));
    await closed;
  });

  it('passes on what the API server says to an upgrade', async () => {
    const headers = { connection: 'Upgrade', upgrade: 'SPDY/3.1' };
    const path = '/api/v1/namespaces/default/pods/none/exec?command=sh';
    const unknown = await world.upstream.upgrade(asAdmin, { method: 'POST', path, headers, signal });
    expect([unknown.status, unknown.socket]).toEqual([404, undefined]);
    expect(JSON.parse(unknown.body.toString())).toMatchObject({ kind: 'Status', reason: 'NotFound' });
    const forbidden = await world.upstream.upgrade(asToken(token), { method: 'POST', path, headers, signal });
    expect(forbidden.status).toBe(403);
  });

  it('carries an upgraded connection through the API server', async () => {
    const { address } = Object.values(networkInterfaces())
      .flatMap((all) => all ?? [])
      .find(({ family, internal }) => family === 'IPv4' && !internal) ?? { address: '' };
    const server = createServer().listen(0, address);
    await once(server, 'listening');
    server.on('upgrade', (_request: IncomingMessage, socket) => {
      socket.on('error', () => undefined);
      socket.write('HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: echo\r\n\r\n');
      socket.pipe(socket);
    });
    const name = 'echo';
    await admin.client.create(resources.nodes, { metadata: { name } }, { signal });
    const { nodes } = resources;
    const patch = {
      type: 'application/merge-patch+json',
      body: { status: { addresses: [{ type: 'InternalIP', address }] } },
    } as const;
    await admin.client.patch(nodes, { name }, { patch, subresource: 'status', signal });
    const { port } = server.address() as AddressInfo;
    const { status, socket } = await world.upstream.upgrade(asAdmin, {
      method: 'GET',
      path: `/api/v1/nodes/http:${name}:${port}/proxy/echo`,
      headers: { connection: 'Upgrade', upgrade: 'echo' },
      signal,
    });
    expect(status).toBe(101);
    if (socket === undefined) throw new Error('no socket');
    socket.write('over there');
    const [heard] = (await once(socket, 'data')) as [Buffer];
    expect(heard.toString()).toBe('over there');
    socket.destroy();
    server.closeAllConnections();
    server.close();
  });

  it('opens bare connections, TLS being end to end', async () => {
    const raw = await world.upstream.dialRaw(signal);
    const ca = controlPlane.ca;
    const tls = connectTls({ socket: raw, ca, host: '127.0.0.1', ALPNProtocols: ['http/1.1'] });
    await once(tls, 'secureConnect');
    expect(tls.authorized).toBe(true);
    tls.write('GET /version HTTP/1.1\r\nhost: kubernetes\r\nconnection: close\r\n\r\n');
    const [head] = (await once(tls, 'data')) as [Buffer];
    expect(head.toString()).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    tls.destroy();
  });
});

describe('a cut', () => {
  let proxy: ResetProxy;
  let world: UpstreamWorld;
  beforeEach(async () => {
    proxy = await startResetProxy(controlPlane.port);
    world = await startUpstream([urlOf(proxy)], options());
    await world.until('online');
  });
  afterEach(async () => {
    await world?.[Symbol.asyncDispose]();
    await proxy?.[Symbol.asyncDispose]();
  });

  /** Everything fails at once, and says since when. */
  async function expectOffline(): Promise<void> {
    const { sinceMs: offlineSinceMs, reason } = await world.until('offline');
    const dialled = sumOf(world.registry, 'selvedge_kube_dials_total');
    const message = expect.stringContaining(`: no API server can be reached: ${reason}`) as string;
    const refused = { code: 'Unavailable', message, details: { offlineSinceMs } };
    const upgrade = get('/x', { headers: { connection: 'Upgrade', upgrade: 'x' } });
    await Promise.all([
      expect(world.upstream.send(asNode, get('/version'))).rejects.toMatchObject(refused),
      expect(world.upstream.upgrade(asNode, upgrade)).rejects.toMatchObject(refused),
      expect(world.upstream.dialRaw(signal)).rejects.toMatchObject(refused),
      expect(
        world.upstream.clientOf({ kind: 'node' }).list(resources.nodes, { signal }),
      ).rejects.toMatchObject({
        code: 'Unavailable',
      }),
    ]);
    expect(sumOf(world.registry, 'selvedge_kube_dials_total')).toBe(dialled);
  }

  it('that refuses is noticed at once, its end within 10 s', async () => {
    const cutAt = Date.now();
    proxy.refuse();
    const { sinceMs, reason } = await world.until('offline');
    // Silence would take 7 s.
    expect(sinceMs - cutAt).toBeLessThan(6_000);
    expect(reason).toMatch(/^(refused|reset|closed)/);
    await expectOffline();
    const healedAt = Date.now();
    proxy.allow();
    const online = await world.until('online');
    expect(online.sinceMs - healedAt).toBeLessThanOrEqual(noticeMs);
    expect(await nameOf(world, asNode)).toBe('system:node:upstream');
  });

  it('that swallows everything is noticed within 10 s by a watch and the calls beside it', async () => {
    const watch = await world.upstream.send(asAdmin, get(`${configMaps}?watch=true`, { longRunning: true }));
    const ended = textOf(watch).catch((error: unknown) => error);
    const cutAt = Date.now();
    proxy.freeze();
    const call = world.upstream.send(asNode, get('/version')).catch((error: unknown) => error);
    const { sinceMs, reason } = await world.until('offline');
    expect(sinceMs - cutAt).toBeLessThanOrEqual(noticeMs);
    expect(reason).toMatch(/silent|no answer/);
    expect(await call).toMatchObject({ code: 'Unavailable' });
    await ended;
    expect(() => watch.checkComplete()).toThrow(/broke/);
    await expectOffline();
    const healedAt = Date.now();
    proxy.thaw();
    const online = await world.until('online');
    expect(online.sinceMs - healedAt).toBeLessThanOrEqual(noticeMs);
  });

  it('that swallows everything is noticed within 10 s when nothing is in use', async () => {
    const requests = sumOf(world.registry, 'selvedge_upstream_probes_total');
    const cutAt = Date.now();
    proxy.freeze();
    const { sinceMs, reason } = await world.until('offline');
    expect(sinceMs - cutAt).toBeLessThanOrEqual(noticeMs);
    expect(reason).toMatch(/^silent for \d+ s$/);
    expect(requests).toBe(1);
  });

  it('of a moment is not one', async () => {
    const probes = sumOf(world.registry, 'selvedge_upstream_probes_total');
    proxy.reset();
    await waitFor({ what: 'a probe' }, systemClock, async () => {
      return sumOf(world.registry, 'selvedge_upstream_probes_total') > probes;
    });
    expect(await nameOf(world, asNode)).toBe('system:node:upstream');
    expect(world.told.map(({ kind }) => kind)).toEqual(['online']);
  });
});

describe('an API server that restarts', () => {
  it.each(['drain', 'kill'] as const)('is away at once (%s), and back when it is ready', async (how) => {
    await using world = await startUpstream([urlOf(controlPlane)], options());
    await world.until('online');
    const stopped = controlPlane.stopApiServer(how);
    const { reason } = await world.until('offline');
    expect(reason).toMatch(/refused|reset|closed|not ready/);
    await stopped;
    await controlPlane.startApiServer(signal);
    await world.until('online');
    expect(await nameOf(world, asNode)).toBe('system:node:upstream');
    expect(await nameOf(world, asToken(token))).toBe('system:serviceaccount:default:till');
  });
});

describe('a slow link', () => {
  it('is not taken for a dead one', async () => {
    await using proxy = await startResetProxy(controlPlane.port);
    const timings = { quietMs: 200, pingMs: 1_000 };
    await using world = await startUpstream([urlOf(proxy)], { ...options(), timings });
    await world.until('online');
    proxy.delay(300);
    const before = proxy.bytesDown;
    await waitFor({ what: 'answers to pings' }, systemClock, async () => proxy.bytesDown > before + 150);
    expect(await nameOf(world, asNode)).toBe('system:node:upstream');
    expect(world.told.map(({ kind }) => kind)).toEqual(['online']);
  });
});

describe('two API servers', () => {
  it.each(['freeze', 'refuse'] as const)('are one: the other takes over on %s, and stays', async (how) => {
    await using one = await startResetProxy(controlPlane.port);
    await using two = await startResetProxy(controlPlane.port);
    await using world = await startUpstream([urlOf(one), urlOf(two)], options());
    expect((await world.until('online')).server).toBe(`127.0.0.1:${one.port}`);
    one[how]();
    const other = `127.0.0.1:${two.port}`;
    await waitFor({ what: 'the other server' }, systemClock, async () => {
      const { connectivity: now } = world.upstream;
      return now.kind === 'online' && now.server === other;
    });
    expect(await nameOf(world, asNode)).toBe('system:node:upstream');
    one.thaw();
    one.allow();
    expect(await nameOf(world, asToken(token))).toBe('system:serviceaccount:default:till');
    expect(world.upstream.connectivity).toMatchObject({ kind: 'online', server: other });
    expect(world.told.map(({ kind }) => kind)).toEqual(['online', 'online']);
  });
});

describe('what is on the way', () => {
  it('may be a proxy that wants credentials', async () => {
    await using proxy = await startConnectProxy({ credentials: 'site:secret' });
    const through = { url: proxy.url, username: 'site', password: 'secret' };
    await using world = await startUpstream([urlOf(controlPlane)], { ...options(), proxy: through });
    await world.until('online');
    expect(await nameOf(world, asNode)).toBe('system:node:upstream');
    expect(proxy.targets).toEqual([`127.0.0.1:${controlPlane.port}`]);
    const wrong = { ...through, password: 'guess' };
    await using refused = await startUpstream([urlOf(controlPlane)], { ...options(), proxy: wrong });
    expect((await refused.until('offline')).reason).toMatch(/^the proxy 127\.0\.0\.1:\d+ answered 407/);
    expect(JSON.stringify(refused.lines)).not.toContain('guess');
  });

  it('may be somebody else with a certificate', async () => {
    const authority = await newTestAuthority();
    await using portal = await startTestServer({ protocol: 'http/1.1', authority });
    await using world = await startUpstream([portal.url], options());
    expect((await world.until('offline')).reason).toMatch(/^its certificate is not trusted/);
    const warning = world.lines.find(({ level }) => level === 'warn');
    expect(warning?.fields['hint']).toMatch(/captive portal/);
  });

  it('may be somebody without TLS', async () => {
    const authority = await newTestAuthority();
    await using portal = await startTestServer({ protocol: 'plain', authority });
    await using world = await startUpstream([urlOf(portal)], options());
    expect((await world.until('offline')).reason).toMatch(/^it does not speak TLS/);
  });

  it('may be nothing at all', async () => {
    await using dead = await startResetProxy(controlPlane.port);
    dead.freeze();
    const startedAt = Date.now();
    await using world = await startUpstream([urlOf(dead)], options());
    await expect(world.upstream.send(asNode, get('/version'))).rejects.toThrow(
      /no API server can be reached/,
    );
    expect((await world.until('offline')).sinceMs - startedAt).toBeLessThanOrEqual(noticeMs);
  });
});

import { once } from 'node:events';
import { connect } from 'node:net';
import { duplexPair } from 'node:stream';
import { SelvedgeError } from '@selvedge/kit';
import { describe, expect, it } from 'vitest';
import type { UpstreamRequest, UpgradedConnection } from '../upstream/types.ts';
import {
  asToken,
  notAsked,
  readAll,
  readUntil,
  ask,
  askOver,
  connectTo,
  createTestCa,
  createTestHub,
  openHttp2,
} from './testing.ts';

const upgradeRequest = (protocol: string): string =>
  [
    'POST /api/v1/namespaces/a/pods/b/exec?command=sh HTTP/1.1',
    'host: x',
    'connection: Upgrade',
    `upgrade: ${protocol}`,
    'x-stream-protocol-version: v4.channel.k8s.io',
    `authorization: ${asToken.authorization}`,
    '',
    '',
  ].join('\r\n');

describe('a request for another protocol', () => {
  it('is passed on as its user, and carries bytes both ways until each side has ended', async () => {
    const [near, far] = duplexPair();
    let asked: UpstreamRequest | undefined;
    const upgrade = async (_caller: unknown, request: UpstreamRequest): Promise<UpgradedConnection> => {
      asked = request;
      const headers = {
        connection: 'Upgrade',
        upgrade: 'SPDY/3.1',
        'x-stream-protocol-version': 'v4.channel.k8s.io',
      };
      return { status: 101, headers, socket: near, body: Buffer.alloc(0) };
    };
    await using hub = await createTestHub({ upstream: { upgrade, dialRaw: notAsked } });
    const socket = await connectTo(hub);
    socket.write(`${upgradeRequest('SPDY/3.1')}early`);
    const head = await readUntil(socket, '\r\n\r\n');
    expect(head).toMatch(/^HTTP\/1\.1 101 Switching Protocols\r\n/);
    expect(head).toContain('x-stream-protocol-version: v4.channel.k8s.io');
    expect(await readUntil(far, 'early')).toBe('early');
    far.write('answer');
    expect(await readUntil(socket, 'answer')).toBe('answer');
    socket.end('last');
    expect(await readAll(far)).toBe('last');
    far.end('later');
    expect(await readAll(socket)).toBe('later');
    expect(asked).toMatchObject({ method: 'POST', path: '/api/v1/namespaces/a/pods/b/exec?command=sh' });
    expect(asked?.headers).toMatchObject({ connection: 'Upgrade', upgrade: 'SPDY/3.1' });
    expect(asked?.headers).not.toHaveProperty('authorization');
  });

  it('ends when the other side breaks', async () => {
    const [near, far] = duplexPair();
    const answer = { status: 101, headers: {}, socket: near, body: Buffer.alloc(0) };
    await using hub = await createTestHub({ upstream: { upgrade: async () => answer, dialRaw: notAsked } });
    const socket = await connectTo(hub);
    socket.write(upgradeRequest('websocket'));
    await readUntil(socket, '\r\n\r\n');
    const closed = once(socket, 'close');
    near.destroy(new Error('reset'));
    far.destroy();
    await closed;
    await expect.poll(() => hub.endpoint.connections).toBe(0);
  });

  it('is refused as the API server refuses it', async () => {
    const body = Buffer.from('{"kind":"Status","code":403}');
    const headers = { 'content-type': 'application/json', 'transfer-encoding': 'chunked' };
    const upgrade = async (): Promise<UpgradedConnection> => ({
      status: 403,
      headers,
      socket: undefined,
      body,
    });
    await using hub = await createTestHub({ upstream: { upgrade, dialRaw: notAsked } });
    const socket = await connectTo(hub);
    socket.write(upgradeRequest('SPDY/3.1'));
    const text = await readAll(socket);
    expect(text).toMatch(/^HTTP\/1\.1 403 Forbidden\r\n/);
    expect(text).not.toContain('chunked');
    expect(text.endsWith(body.toString())).toBe(true);
  });

  it('is answered 503 while the cloud is away, and 401 without credentials', async () => {
    await using hub = await createTestHub();
    const offline = await connectTo(hub);
    offline.write(upgradeRequest('SPDY/3.1'));
    expect(await readAll(offline)).toMatch(/^HTTP\/1\.1 503 .*autonomous/s);
    const nobody = await connectTo(hub);
    nobody.write(upgradeRequest('SPDY/3.1').replace('token-of-ann', 'x'));
    expect(await readAll(nobody)).toMatch(/^HTTP\/1\.1 401 /);
  });

  it.each([
    ['h2c', 'GET', '/version'],
    ['websocket', 'GET', '/version'],
    ['websocket', 'GET', '/api/v1/pods?watch=true'],
    ['websocket', 'GET', '/api/v1/namespaces/a/pods'],
    ['websocket', 'GET', '/api/v1/namespaces/a/pods/b'],
    ['websocket', 'GET', '/api/v1/namespaces/a/pods/b/log?follow=true'],
    ['SPDY/3.1', 'PUT', '/api/v1/nodes/n/status'],
    ['websocket', 'GET', '/api/v1/watch/pods/exec/exec'],
    ['websocket', 'GET', '/apis/apps/v1/namespaces/a/deployments/b/proxy'],
    ['websocket', 'GET', '/apis/example.com/v1/namespaces/a/things/b/status'],
  ])('is a plain request if nothing can turn to %s at %s %s', async (protocol, method, path) => {
    await using hub = await createTestHub();
    const { status, text } = await ask['HTTP/1.1'](hub, path, {
      method,
      headers: { ...asToken, connection: 'upgrade', upgrade: protocol },
    });
    expect(status).toBe(200);
    const { headers } = JSON.parse(text) as { headers: object };
    expect(Object.keys(headers)).not.toEqual(expect.arrayContaining(['upgrade', 'connection']));
  });

  it.each([
    ['POST', '/api/v1/namespaces/a/pods/b/exec'],
    ['GET', '/api/v1/namespaces/a/pods/b/attach'],
    ['GET', '/api/v1/namespaces/a/pods/b/portforward'],
    ['GET', '/api/v1/namespaces/a/services/b/proxy/x/y'],
    ['GET', '/api/v1/nodes/n/proxy/exec'],
    ['GET', '/apis/subresources.kubevirt.io/v1/namespaces/a/virtualmachineinstances/b/vnc'],
  ])('is passed on at %s %s', async (method, path) => {
    await using hub = await createTestHub();
    const socket = await connectTo(hub);
    socket.write(upgradeRequest('websocket').replace(/^POST [^ ]+/, `${method} ${path}`));
    expect(await readAll(socket)).toMatch(/^HTTP\/1\.1 503 /);
  });

  it('goes to the handler, which keeps the record, when an operator asks', async () => {
    const seen: string[] = [];
    await using hub = await createTestHub({
      access: {
        authenticate: async () => ({ kind: 'operator', user: { username: 'eve', groups: [] } }),
        authorize: async () => ({ allowed: false, reason: '' }),
      },
      handler: async ({ method, path, caller }) => {
        seen.push(`${caller.user.username} ${method} ${path}`);
        throw new SelvedgeError('operators may only read', { code: 'Forbidden' });
      },
      upstream: { upgrade: notAsked, dialRaw: notAsked },
    });
    const socket = await connectTo(hub);
    socket.write(upgradeRequest('websocket'));
    expect(await readAll(socket)).toMatch(/^HTTP\/1\.1 403 .*operators may only read/s);
    expect(seen).toEqual(['eve POST /api/v1/namespaces/a/pods/b/exec']);
  });
});

describe('caps', () => {
  it('refuse the connection beyond them, and take others when one has closed', async () => {
    await using hub = await createTestHub({}, { limits: { maxConnectionsFromLoopback: 2 } });
    const first = await connectTo(hub);
    await connectTo(hub);
    await expect(connectTo(hub)).rejects.toThrow(/disconnected|ECONNRESET/);
    first.destroy();
    await expect.poll(() => hub.endpoint.connections).toBe(1);
    expect((await ask['HTTP/1.1'](hub, '/version', { headers: asToken })).status).toBe(200);
  });

  it('hold the watches of one user, not those of another', async () => {
    async function* silent(signal: AbortSignal): AsyncGenerator<Uint8Array> {
      yield Buffer.from('x');
      await once(signal, 'abort');
    }
    await using hub = await createTestHub(
      { handler: async ({ signal }) => ({ status: 200, headers: {}, body: silent(signal) }) },
      { limits: { maxLongRunningPerUser: 1 } },
    );
    const session = openHttp2(hub);
    const watch = session.request({ ':path': '/api/v1/pods?watch=true', ...asToken });
    await once(watch, 'data');
    const second = await askOver(session, '/api/v1/pods?watch=true', { headers: asToken });
    expect(second.status).toBe(429);
    expect(second.headers['retry-after']).toBe('1');
    const other = session.request({
      ':path': '/api/v1/pods?watch=true',
      authorization: 'Bearer token-of-bob',
    });
    await once(other, 'data');
    watch.close();
    await expect
      .poll(async () => {
        const again = session.request({ ':path': '/api/v1/pods?watch=true', ...asToken });
        const [head] = (await once(again, 'response')) as [{ ':status': number }];
        return head[':status'];
      })
      .toBe(200);
    session.destroy();
  });

  it('end a connection that sends requests without waiting for answers', async () => {
    const handler = async ({ signal: gone }: { readonly signal: AbortSignal }): Promise<never> => {
      await once(gone, 'abort');
      throw gone.reason;
    };
    await using hub = await createTestHub({ handler }, { limits: { maxPipelined: 4 } });
    const request = `GET /version HTTP/1.1\r\nhost: x\r\nauthorization: ${asToken.authorization}\r\n\r\n`;
    const patient = await connectTo(hub);
    patient.write(request.repeat(4));
    const hasty = await connectTo(hub);
    hasty.write(request.repeat(5));
    expect(await readAll(hasty)).toBe('');
    expect(patient.closed).toBe(false);
  });

  it('hold all bodies together', async () => {
    const limits = { maxBodyBytes: 1_000, maxBodyBytesInAll: 1_500 };
    const { promise, resolve } = Promise.withResolvers<void>();
    const held = Promise.withResolvers<void>();
    const handler = async (): Promise<{ status: number; headers: object; body: Uint8Array }> => {
      held.resolve();
      await promise;
      return { status: 200, headers: {}, body: Buffer.alloc(0) };
    };
    await using hub = await createTestHub({ handler: handler as never }, { limits });
    const post = { method: 'POST', headers: asToken, body: Buffer.alloc(1_000) };
    const first = ask['HTTP/2'](hub, '/api/v1/pods', post);
    await held.promise;
    expect((await ask['HTTP/1.1'](hub, '/api/v1/pods', post)).status).toBe(429);
    resolve();
    expect((await first).status).toBe(200);
    expect((await ask['HTTP/1.1'](hub, '/api/v1/pods', post)).status).toBe(200);
  });

  it.each([
    ['a handshake that does not come', { handshakeMs: 100 }, undefined],
    ['headers that do not end', { headersMs: 100 }, 'GET / HTTP/1.1\r\nx: '],
  ])('end %s', async (_what, limits, sent) => {
    await using hub = await createTestHub({}, { limits });

    const socket =
      sent === undefined ? connect({ host: '127.0.0.1', port: hub.endpoint.port }) : await connectTo(hub);
    if (sent !== undefined) socket.write(sent);
    await readAll(socket);
    await expect.poll(() => hub.endpoint.connections).toBe(0);
  });

  it('end a body that does not come', async () => {
    await using hub = await createTestHub({}, { limits: { bodyMs: 100 } });
    const socket = await connectTo(hub);
    socket.write(
      `POST /api/v1/pods HTTP/1.1\r\nhost: x\r\nauthorization: ${asToken.authorization}\r\ncontent-length: 10\r\n\r\n{`,
    );
    expect(await readAll(socket)).toMatch(/^HTTP\/1\.1 504 /);
  });
});

describe('certificates', () => {
  it('are replaced under the connections that are open', async () => {
    await using hub = await createTestHub();
    const before = await connectTo(hub, { servername: 'kubernetes.default.svc' });
    hub.pki.setClusterIPs(['10.96.0.1']);
    await expect.poll(() => hub.pki.serving?.certificate.length).toBeGreaterThan(0);
    const addressOf = async (): Promise<string> => {
      const socket = await connectTo(hub);
      const names = socket.getPeerX509Certificate()?.subjectAltName ?? '';
      socket.destroy();
      return names;
    };
    await expect.poll(addressOf).toContain('10.96.0.1');
    before.write(`GET /version HTTP/1.1\r\nhost: x\r\nauthorization: ${asToken.authorization}\r\n\r\n`);
    expect(await readUntil(before, '\r\n')).toMatch(/^HTTP\/1\.1 200 /);
  });

  it('stand for the same user when a client takes up its session again', async () => {
    await using hub = await createTestHub();
    const client = await hub.ca.issue('system:node:n');
    const request = 'GET /version HTTP/1.1\r\nhost: x\r\n\r\n';
    const first = await connectTo(hub, { ...client, minVersion: 'TLSv1.3' });
    const session = once(first, 'session');
    first.write(request);
    await readUntil(first, 'system:node:n');
    const [ticket] = (await session) as [Buffer];
    const again = await connectTo(hub, { session: ticket });
    expect(again.isSessionReused()).toBe(true);
    again.write(request);
    expect(await readUntil(again, '}')).toContain('"user":"system:node:n"');
  });

  it('of the cluster are taken once its CA is another', async () => {
    const next = await createTestCa();
    let ca = (await createTestCa()).certificate;
    await using hub = await createTestHub({ clusterCa: () => ca });
    const client = await next.issue('system:node:n');
    expect((await ask['HTTP/2'](hub, '/version', { client })).status).toBe(401);
    ca = next.certificate;
    expect((await ask['HTTP/2'](hub, '/version', { client })).status).toBe(200);
  });
});

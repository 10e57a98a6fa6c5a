import { once } from 'node:events';
import type { ClientHttp2Stream } from 'node:http2';
import type { TLSSocket } from 'node:tls';
import { hasClosed } from '@selvedge/kit/testing';
import { describe, expect, it } from 'vitest';
import type { HubHandler } from '../request.ts';
import { type TestHub, ask, askOver, connectTo, createTestHub, openHttp2 } from './testing.ts';

const asToken = { authorization: 'Bearer token-of-ann' };
const mebibyte = 1024 * 1024;

// The kernel keeps tens of MiB for a client that reads nothing: /huge is more than that.
const sizes: Readonly<Record<string, number>> = { '/large': 2 * mebibyte, '/huge': 64 * mebibyte };

const large: HubHandler = async ({ path }) => ({
  status: 200,
  headers: {},
  body: Buffer.alloc(sizes[path] ?? 1, 97),
});

const get = (path: string): string =>
  `GET ${path} HTTP/1.1\r\nhost: x\r\nauthorization: ${asToken.authorization}\r\n\r\n`;

async function unread(hub: TestHub, path: string): Promise<TLSSocket> {
  const socket = await connectTo(hub);
  socket.pause().write(get(path));
  return socket;
}

const statusOf = async (hub: TestHub, path: string): Promise<number> =>
  (await ask['HTTP/1.1'](hub, path, { headers: asToken })).status;

describe('an answer that its client does not take', () => {
  it.each(['HTTP/1.1', 'HTTP/2'] as const)(
    'counts as a request over %s until it is taken',
    async (protocol) => {
      await using hub = await createTestHub({ handler: large }, { limits: { maxRequestsPerUser: 1 } });
      const session = openHttp2(hub);
      const taken =
        protocol === 'HTTP/2'
          ? session.request({ ':path': '/large', ...asToken }).pause()
          : await unread(hub, '/large');
      await expect.poll(() => statusOf(hub, '/version')).toBe(429);
      expect(await statusOf(hub, '/version')).toBe(429);
      taken.resume();
      await expect.poll(() => statusOf(hub, '/version')).toBe(200);
      session.destroy();
      if ('encrypted' in taken) taken.destroy();
    },
  );

  it('takes from what its user may have of them, not from others', async () => {
    await using hub = await createTestHub(
      { handler: large },
      { limits: { maxAnswerBytesEach: 5 * mebibyte } },
    );
    const session = openHttp2(hub);
    const streams: ClientHttp2Stream[] = [];
    for (let sent = 0; sent < 2; sent += 1) {
      const stream = session.request({ ':path': '/large', ...asToken });
      await once(stream, 'response');
      streams.push(stream.pause());
    }
    expect(await statusOf(hub, '/large')).toBe(429);
    expect(await statusOf(hub, '/version')).toBe(200);
    const other = { authorization: 'Bearer token-of-bob' };
    expect((await ask['HTTP/2'](hub, '/large', { headers: other })).text).toHaveLength(2 * mebibyte);
    for (const stream of streams) stream.close();
    await expect.poll(() => statusOf(hub, '/large')).toBe(200);
    session.destroy();
  });

  it('is ended after a while, and a quiet watch is not', async () => {
    const gone: string[] = [];
    async function* quiet(signal: AbortSignal): AsyncGenerator<Uint8Array> {
      yield Buffer.from('x');
      await once(signal, 'abort');
    }
    const handler: HubHandler = (request) => {
      const { path, query, signal } = request;
      signal.addEventListener('abort', () => gone.push(path));
      if (!query.has('watch')) return large(request);
      return Promise.resolve({ status: 200, headers: {}, body: quiet(signal) });
    };
    await using hub = await createTestHub(
      { handler },
      { limits: { idleMs: 1_000, maxAnswerBytesEach: 100 * mebibyte, maxAnswerBytesInAll: 200 * mebibyte } },
    );
    const session = openHttp2(hub);
    const watch = session.request({ ':path': '/api/v1/pods?watch=1', ...asToken });
    await once(watch, 'data');
    const stalled = session.request({ ':path': '/large', ...asToken }).pause();
    stalled.on('error', () => undefined);
    const socket = await unread(hub, '/huge');
    await expect.poll(() => gone.toSorted()).toEqual(['/huge', '/large']);
    expect(watch.closed).toBe(false);
    session.destroy();
    socket.destroy();
  });

  it('holds up the requests behind it on its connection, which are let go with it', async () => {
    const begun: string[] = [];
    let gone = 0;
    const handler: HubHandler = async (request) => {
      begun.push(request.path);
      request.signal.addEventListener('abort', () => (gone += 1));
      return large(request);
    };
    await using hub = await createTestHub({ handler }, { limits: { maxRequestsPerUser: 2 } });
    const socket = await connectTo(hub);
    socket.pause().write(get('/huge').repeat(2) + get('/version').repeat(3));
    await expect.poll(() => begun.length).toBe(1);
    expect(await statusOf(hub, '/version')).toBe(200);
    expect(begun).toEqual(['/huge', '/version']);
    socket.destroy();
    await expect.poll(() => gone).toBe(1);
    await expect.poll(() => hub.endpoint.connections).toBe(0);
    expect(begun).toHaveLength(2);
    const other = await connectTo(hub);
    other.write(get('/large') + get('/version'));
    let bytes = 0;
    other.on('data', (chunk: Buffer) => (bytes += chunk.length));
    await expect.poll(() => begun.slice(2)).toEqual(['/large', '/version']);
    await expect.poll(() => bytes).toBeGreaterThan(2 * mebibyte);
  });
});

describe('bodies that do not end', () => {
  it('take nothing from the node and from other users', async () => {
    const limits = { maxBodyBytes: 3_000, maxBodyBytesInAll: 32_000, maxBodyBytesEach: 8_000 };
    await using hub = await createTestHub({}, { limits: { ...limits, reservedBytes: 8_000 } });
    const session = openHttp2(hub);
    const path = '/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/n';
    const stall = (user: string): void => {
      const headers = { ':method': 'POST', ':path': path, authorization: `Bearer token-of-${user}` };
      const stream = session.request(headers);
      stream.on('error', () => undefined);
      stream.write(Buffer.alloc(2_990, 120));
    };
    const renewAs = async (who: object, bytes: number): Promise<number> =>
      (await ask['HTTP/2'](hub, path, { method: 'PUT', body: Buffer.alloc(bytes), ...who })).status;
    const token = (user: string): object => ({ headers: { authorization: `Bearer token-of-${user}` } });
    for (let sent = 0; sent < 11; sent += 1) stall('pod');
    await expect.poll(() => renewAs(token('pod'), 2_900)).toBe(429);
    expect(await renewAs(token('other'), 2_900)).toBe(200);
    for (let user = 0; user < 11; user += 1) stall(`pod${user}`);
    await expect.poll(() => renewAs(token('other'), 2_900)).toBe(429);
    expect(await renewAs({ client: await hub.ca.issue('system:node:n') }, 2_900)).toBe(200);
    session.destroy();
  });
});

describe('a hub that stops', () => {
  const slow = (): {
    readonly handler: HubHandler;
    readonly finish: () => void;
    readonly begun: Promise<void>;
  } => {
    const begun = Promise.withResolvers<void>();
    const finished = Promise.withResolvers<void>();
    const handler: HubHandler = async ({ query, signal }) => {
      begun.resolve();
      await Promise.race([finished.promise, ...(query.has('watch') ? [once(signal, 'abort')] : [])]);
      return { status: 200, headers: {}, body: Buffer.from('done') };
    };
    return { handler, finish: finished.resolve, begun: begun.promise };
  };

  it('answers what is under way', async () => {
    const { handler, finish, begun } = slow();
    await using hub = await createTestHub({ handler });
    const session = openHttp2(hub);
    const answered = askOver(session, '/api/v1/pods/a', { headers: asToken });
    await begun;
    const stopped = hub.endpoint.stop();
    finish();
    expect(await answered).toMatchObject({ status: 200, text: 'done' });
    await stopped;
    expect(hub.endpoint.connections).toBe(0);
  });

  async function* untilEnding(ending: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
    yield Buffer.from('first ');
    if (ending !== undefined) await once(ending, 'abort');
    yield Buffer.from('last');
  }
  const following: HubHandler = async ({ ending }) => ({
    status: 200,
    headers: {},
    body: untilEnding(ending),
  });

  it('lets a watch end by itself, and its client go elsewhere, over HTTP/2', async () => {
    await using hub = await createTestHub({ handler: following });
    const session = openHttp2(hub);
    const left = once(session, 'goaway');
    const watch = session.request({ ':path': '/api/v1/pods?watch=1', ...asToken });
    let text = '';
    watch.on('data', (chunk: Buffer) => (text += chunk.toString()));
    await expect.poll(() => text).toBe('first ');
    const ended = once(watch, 'end');
    await hub.endpoint.stop();
    await ended;
    expect({ text, reset: watch.rstCode }).toEqual({ text: 'first last', reset: 0 });
    expect(await left).toEqual([0, 1, undefined]);
  });

  it('lets a watch end by itself over HTTP/1.1, and asks whoever comes behind it to come again', async () => {
    await using hub = await createTestHub({ handler: following });
    const idle = await connectTo(hub);
    const idleClosed = hasClosed(idle);
    const socket = await connectTo(hub);
    let text = '';
    socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
    socket.write(get('/api/v1/pods?watch=1'));
    await expect.poll(() => text).toContain('first ');
    socket.write(get('/api/v1/pods?watch=1'));
    const closed = once(socket, 'close');
    await hub.endpoint.stop();
    await Promise.all([closed, idleClosed]);
    const [first = '', second = ''] = text.split(/(?=HTTP\/1\.1 429)/);
    expect(first).toMatch(/^HTTP\/1\.1 200 .*last\r\n0\r\n\r\n$/s);
    expect(second).toMatch(/^HTTP\/1\.1 429 /);
    expect(second).toMatch(/retry-after: 1\r\n/);
    expect(second).toMatch(/connection: close\r\n/);
  });

  it('asks to come again where a watch has not begun', async () => {
    const { handler, begun } = slow();
    await using hub = await createTestHub({ handler });
    const asked = askOver(openHttp2(hub), '/api/v1/pods?watch=1', { headers: asToken });
    await begun;
    await hub.endpoint.stop();
    expect(await asked).toMatchObject({ status: 429, headers: { 'retry-after': '1' } });
  });

  it('breaks a followed log off', async () => {
    await using hub = await createTestHub({ handler: following });
    const socket = await connectTo(hub);
    let text = '';
    socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
    socket.write(get('/api/v1/namespaces/a/pods/b/log?follow=true'));
    await expect.poll(() => text).toContain('first ');
    await Promise.all([hasClosed(socket), hub.endpoint.stop()]);
    expect(text).not.toContain('last');
  });

  it('waits for no watch, nor for long', async () => {
    const { handler, begun } = slow();
    await using hub = await createTestHub({ handler }, { limits: { drainMs: 60_000 } });
    const watch = openHttp2(hub).request({ ':path': '/api/v1/pods?watch=1', ...asToken });
    watch.on('error', () => undefined);
    await begun;
    await hub.endpoint.stop();

    const hanging = slow();
    await using other = await createTestHub({ handler: hanging.handler }, { limits: { drainMs: 50 } });
    const request = openHttp2(other).request({ ':path': '/api/v1/pods/a', ...asToken });
    request.on('error', () => undefined);
    await hanging.begun;
    const stopping = other.endpoint.stop();
    await expect.poll(() => other.endpoint.connections).toBe(0);
    hanging.finish();
    await stopping;
  });
});

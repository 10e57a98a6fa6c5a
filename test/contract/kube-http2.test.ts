import { createManualClock, type ManualClock } from '@selvedge/kit/testing';
import { resources } from '@selvedge/kube';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Authority } from '../bed/pki/certificate.ts';
import { json, startTestServer, type TestServer } from './http-server.ts';
import { createClientBench, event, namesOf, until, type ClientBench } from './kube-bench.ts';
import { startResetProxy } from './reset-proxy.ts';

const { signal } = new AbortController();
const { configMaps } = resources;
const at = { namespace: 'n', name: 'a' };

let bench: ClientBench;
let authority: Authority;
const connectTo: ClientBench['connectTo'] = (...args) => bench.connectTo(...args);
beforeAll(async () => {
  bench = await createClientBench();
  ({ authority } = bench);
});
afterEach(() => bench.closeClients());

/** Moves the clock in small steps until `look` says so, and tells how long that took on it. */
async function untilOn(clock: ManualClock, limitMs: number, look: () => boolean): Promise<number> {
  const started = clock.monotonicMs();
  while (!look() && clock.monotonicMs() - started < limitMs) await clock.advance(100);
  return clock.monotonicMs() - started;
}

describe('HTTP/2 connections', () => {
  const start = (maxConcurrentStreams?: number): Promise<TestServer> =>
    startTestServer({
      protocol: 'h2',
      authority,
      ...(maxConcurrentStreams === undefined ? {} : { maxConcurrentStreams }),
    });

  it('opens another connection when one is full, up to a bound', async () => {
    await using server = await start(2);
    server.handler = (_request, response) => void response.write(event('a', '1'));
    const client = connectTo(server.url, { maxConnections: 2 });
    for (let i = 0; i < 4; i += 1) await client.watch(configMaps, { signal });
    expect(server.sessions.size).toBe(2);
    await expect(client.watch(configMaps, { signal })).rejects.toMatchObject({ code: 'ResourceExhausted' });
  });

  it('moves new requests away from a connection that the server closes, and lets its watches go on', async () => {
    await using server = await start();
    let finish: (() => void) | undefined;
    server.handler = (request, response) => {
      if (request.url?.includes('watch=') !== true) return json(response, { metadata: at });
      response.write(event('a', '1'));
      finish = () => response.end(event('b', '2'));
    };
    const client = connectTo(server.url);
    const watch = await client.watch(configMaps, { signal });
    const [session] = server.sessions;
    session?.goaway(0, 2 ** 31 - 1);
    await until('a new connection', () => server.connections === 1);
    await client.get(configMaps, at, { signal });
    await client.get(configMaps, at, { signal });
    finish?.();
    expect(await namesOf(watch)).toEqual(['a', 'b']);
    expect(server.connections).toBe(2);
  });

  it('sends a refused request again, whatever its method', async () => {
    await using server = await start();
    let requests = 0;
    server.handler = (request, response) => {
      requests += 1;
      if (requests > 1 || !('stream' in request)) return json(response, { metadata: at });
      request.stream.close(7);
    };
    await connectTo(server.url).create(configMaps, { metadata: at }, { signal });
    expect(requests).toBe(2);
  });

  it('gives up a connection that answers no ping, and is served by a new one', async () => {
    await using server = await start();
    await using proxy = await startResetProxy(server.port);
    server.handler = (request, response) => {
      if (request.url?.includes('watch=') === true) response.write(event('a', '1'));
      else json(response, { metadata: at });
    };
    const url = server.url.replace(/\d+$/, String(proxy.port));
    const client = connectTo(url, { timeouts: { quietMs: 60, pingMs: 30 } });
    const watch = await client.watch(configMaps, { signal });
    const reading = namesOf(watch);
    proxy.freeze();
    await expect(reading).rejects.toMatchObject({ code: 'Unavailable' });
  });

  it('notices within 20 s that a connection with a watch leads nowhere', async () => {
    await using server = await start();
    await using proxy = await startResetProxy(server.port);
    server.handler = (_request, response) => void response.write(event('a', '1'));
    const clock = createManualClock();
    const client = connectTo(server.url.replace(/\d+$/, String(proxy.port)), { clock });
    const watch = await client.watch(configMaps, { signal });
    let failed = false;
    const reading = namesOf(watch).catch(() => (failed = true));
    await until('the first event', () => proxy.bytesDown > 0);
    proxy.freeze();
    // Just after a look at the bytes: the worst moment.
    expect(await untilOn(clock, 60_000, () => failed)).toBeLessThanOrEqual(17_500);
    await reading;
  });

  /** A watch, then two calls in a row that run into their deadline, then one that goes over another connection. */
  async function missTwice(world: { readonly dead: boolean }): Promise<unknown> {
    await using server = await start();
    await using proxy = await startResetProxy(server.port);
    let say: (() => void) | undefined;
    server.handler = (request, response) => {
      if (request.url?.includes('watch=') !== true) return;
      response.write(event('a', '1'));
      say = () => void response.write(event('b', '2'));
    };
    const clock = createManualClock();
    const timeouts = { quietMs: 10_000_000 };
    const client = connectTo(server.url.replace(/\d+$/, String(proxy.port)), { clock, timeouts });
    const batches = (await client.watch(configMaps, { signal }))[Symbol.asyncIterator]();
    await batches.next();
    if (world.dead) proxy.freeze();
    const next = batches.next().catch((error: unknown) => error);
    for (let i = 0; i < 2; i += 1) {
      const call = client.get(configMaps, at, { signal, timeoutMs: 10_000 }).catch((error: unknown) => error);
      const before = proxy.bytesDown;
      say?.();
      await until('what the watch says', () => world.dead || proxy.bytesDown > before);
      await clock.advance(10_000);
      expect(await call).toMatchObject({ code: 'DeadlineExceeded' });
    }
    const third = client.get(configMaps, at, { signal }).catch((error: unknown) => error);
    await until('another connection', () => proxy.connections === 2);
    const after = await next;
    await client.close();
    await third;
    return after;
  }

  it('ends a connection on which two calls in a row hear nothing at all', async () => {
    expect(await missTwice({ dead: true })).toMatchObject({ code: 'Unavailable' });
  });

  it('gives no calls to a connection on which two in a row have no answer, and lets its watch go on', async () => {
    expect(await missTwice({ dead: false })).toMatchObject({ done: false });
  });

  it('keeps a connection whose calls miss deadlines that are too short, or one between answers', async () => {
    await using server = await start();
    let answers = false;
    let requests = 0;
    server.handler = (_request, response) => {
      requests += 1;
      if (answers) json(response, { metadata: at });
    };
    const clock = createManualClock();
    const client = connectTo(server.url, { clock });
    const call = async (timeoutMs: number): Promise<unknown> => {
      const before = requests;
      const done = client.get(configMaps, at, { signal, timeoutMs }).catch((error: unknown) => error);
      await until('the request', () => requests > before);
      if (!answers) await clock.advance(timeoutMs);
      return done;
    };
    for (const timeoutMs of [1_000, 1_000, 6_000]) {
      expect(await call(timeoutMs)).toMatchObject({ code: 'DeadlineExceeded' });
    }
    answers = true;
    expect(await call(6_000)).toMatchObject({ metadata: at });
    answers = false;
    expect(await call(6_000)).toMatchObject({ code: 'DeadlineExceeded' });
    answers = true;
    expect(await call(6_000)).toMatchObject({ metadata: at });
    expect(server.connections).toBe(1);
  });

  it('leaves calls a connection of their own when watches fill the others', async () => {
    await using server = await start(2);
    server.handler = (request, response) => {
      if (request.url?.includes('watch=') === true) response.write(event('a', '1'));
      else json(response, { metadata: at });
    };
    const client = connectTo(server.url, { maxConnections: 1 });
    for (let i = 0; i < 2; i += 1) await client.watch(configMaps, { signal });
    await expect(client.watch(configMaps, { signal })).rejects.toMatchObject({ code: 'ResourceExhausted' });
    for (let i = 0; i < 3; i += 1) await client.get(configMaps, at, { signal });
    await expect(client.watch(configMaps, { signal })).rejects.toMatchObject({ code: 'ResourceExhausted' });
    expect(server.sessions.size).toBe(2);
  });

  it('keeps a silent connection whose pings are answered', async () => {
    await using server = await start();
    let finish: (() => void) | undefined;
    let pings = 0;
    server.handler = (_request, response) => {
      response.write(event('a', '1'));
      finish = () => response.end(event('b', '2'));
    };
    const client = connectTo(server.url, { timeouts: { quietMs: 20 } });
    const watch = await client.watch(configMaps, { signal });
    for (const session of server.sessions) session.on('ping', () => (pings += 1));
    await until('three pings', () => pings >= 3);
    finish?.();
    expect(await namesOf(watch)).toEqual(['a', 'b']);
  });

  it('gives up a server that takes the connection and says nothing', async () => {
    await using server = await start();
    await using proxy = await startResetProxy(server.port);
    proxy.freeze();
    const client = connectTo(server.url.replace(/\d+$/, String(proxy.port)), {
      timeouts: { handshakeMs: 50 },
    });
    await expect(client.get(configMaps, at, { signal })).rejects.toMatchObject({ code: 'DeadlineExceeded' });
  });

  it('dials once for callers that come at the same time', async () => {
    await using server = await start();
    server.handler = (_request, response) => json(response, { metadata: at });
    const client = connectTo(server.url);
    await Promise.all(Array.from({ length: 20 }, () => client.get(configMaps, at, { signal })));
    expect(server.connections).toBe(1);
  });
});

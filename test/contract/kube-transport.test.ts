import { Readable } from 'node:stream';
import { createMetricsRegistry, systemClock } from '@selvedge/kit';
import { recordingLogger } from '@selvedge/kit/testing';
import {
  createClientOver,
  createKubeMetrics,
  resources,
  type Credentials,
  type HttpResponse,
} from '@selvedge/kube';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Authority } from '../bed/pki/certificate.ts';
import { bodyOf, json, startTestServer, type Protocol } from './http-server.ts';
import { event, until } from './kube-bench.ts';
import { startResetProxy } from './reset-proxy.ts';
import { createTransportBench, get, textOf, whoIs, type TransportBench } from './transport-bench.ts';

const { signal } = new AbortController();
let bench: TransportBench;
let authority: Authority;
let ca: TransportBench['ca'];
const transportTo: TransportBench['transportTo'] = (...args) => bench.transportTo(...args);
const certified: TransportBench['certified'] = (...args) => bench.certified(...args);
beforeAll(async () => {
  bench = await createTransportBench();
  ({ authority, ca } = bench);
});
afterEach(() => bench.closeTransports());

describe.each<Protocol>(['h2', 'http/1.1'])('the transport over %s', (protocol) => {
  it('takes any header, any status and bodies of 3 MiB, and leaves the answer as it is', async () => {
    await using server = await startTestServer({ protocol, authority });
    const large = 'x'.repeat(3 * 1024 * 1024);
    server.handler = (request, response) => {
      void (async () => {
        const { method, url, headers } = request;
        const { length } = await bodyOf(request);
        response.writeHead(418, { 'x-odd': 'yes', 'content-type': 'application/x-odd' });
        response.end(
          JSON.stringify({ method, url, odd: headers['x-odd'], type: headers['content-type'], length }),
        );
      })();
    };
    const headers = { 'x-odd': 'request', 'content-type': 'application/vnd.kubernetes.protobuf' };
    const body = Buffer.from(large);
    const request = { method: 'PUT', path: '/any?thing=1', headers, body, signal };
    const answer = await transportTo([server.url]).send(request, ca);
    expect([answer.status, answer.headers['x-odd'], answer.headers['content-type']]).toEqual([
      418,
      'yes',
      'application/x-odd',
    ]);
    expect(JSON.parse(await textOf(answer.body))).toEqual({
      method: 'PUT',
      url: '/any?thing=1',
      odd: 'request',
      type: 'application/vnd.kubernetes.protobuf',
      length: large.length,
    });
  });

  it('keeps an answer that was complete before anybody read it', async () => {
    await using server = await startTestServer({ protocol, authority });
    server.handler = (request, response) => json(response, { path: request.url });
    const transport = transportTo([server.url]);
    const unread = await Promise.all(['/1', '/2', '/3'].map((path) => transport.send(get(path), ca)));
    // What the server says later comes later.
    const { body } = await transport.send(get('/last'), ca);
    await textOf(body);
    const read = await Promise.all(unread.map((answer) => textOf(answer.body)));
    expect(read.map((text) => JSON.parse(text) as unknown)).toEqual([
      { path: '/1' },
      { path: '/2' },
      { path: '/3' },
    ]);
  });

  it('never mixes a certificate with a bearer token, and shares one connection among tokens', async () => {
    await using server = await startTestServer({ protocol, authority });
    const seen: string[] = [];
    server.handler = (request, response) => {
      seen.push(whoIs(request));
      json(response, {});
    };
    const transport = transportTo([server.url]);
    const node = await certified('node', 'node');
    for (let i = 0; i < 3; i += 1) {
      for (const who of [node, { ...ca, bearerToken: `t${i}`, holder: 'tokens' }]) {
        const { body } = await transport.send(get('/'), who);
        await textOf(body);
      }
    }
    expect(seen).toEqual(['node -', '- Bearer t0', 'node -', '- Bearer t1', 'node -', '- Bearer t2']);
    expect(server.connections).toBe(2);
  });
});

describe('identities side by side', () => {
  it('drains only what the rotated holder had, and lets his watch go on', async () => {
    await using server = await startTestServer({ protocol: 'h2', authority });
    const finish: (() => void)[] = [];
    server.handler = (request, response) => {
      if (!(request.url ?? '').startsWith('/watch')) return json(response, { who: whoIs(request) });
      response.write(event('a', '1'));
      finish.push(() => response.end(event('b', '2')));
    };
    const transport = transportTo([server.url]);
    const [old, rotated] = [await certified('old', 'node'), await certified('new', 'node')];
    const proxy = await certified('proxy', 'client proxy');
    const ask = async (who: Credentials): Promise<string> => {
      const { body } = await transport.send(get('/who'), who);
      return (JSON.parse(await textOf(body)) as { who: string }).who;
    };
    const watches = await Promise.all(
      [old, proxy].map((who) => transport.send(get('/watch', { longRunning: true }), who)),
    );
    expect(await ask(rotated)).toBe('new -');
    expect(server.sessions.size).toBe(3);
    expect(await ask(proxy)).toBe('proxy -');
    await until('two watches', () => finish.length === 2);
    for (const end of finish) end();
    const texts = await Promise.all(watches.map(({ body }) => textOf(body)));
    expect(texts.map((text) => text.split('\n').length)).toEqual([3, 3]);
    await until('the end of the old connection', () => server.sessions.size === 2);
  });

  it('tells of connections that break, and not of those that are closed on purpose', async () => {
    await using server = await startTestServer({ protocol: 'h2', authority });
    await using proxy = await startResetProxy(server.port);
    server.handler = (_request, response) => json(response, {});
    const lost: unknown[] = [];
    const transport = transportTo(
      [`https://127.0.0.1:${proxy.port}`],
      {},
      { onClosed: (_, error) => lost.push(error) },
    );
    const ask = async (): Promise<string> => textOf((await transport.send(get('/'), ca)).body);
    await ask();
    expect(transport.connected).toBe(true);
    proxy.reset();
    await until('the loss', () => lost.length === 1);
    expect(lost[0]).toMatchObject({ code: 'Unavailable' });
    expect(transport.connected).toBe(false);
    await ask();
    for (const session of server.sessions) session.close();
    await until('the end', () => lost.length === 2);
    expect(lost[1]).toBeUndefined();
    await ask();
    await transport.close();
    expect(lost).toHaveLength(2);
  });

  it('counts the bytes on the wire, of connections that are gone too', async () => {
    await using server = await startTestServer({ protocol: 'h2', authority });
    await using proxy = await startResetProxy(server.port);
    server.handler = (_request, response) => json(response, { large: 'x'.repeat(100_000) });
    const transport = transportTo([`https://127.0.0.1:${proxy.port}`]);
    for (let i = 0; i < 2; i += 1) {
      await textOf((await transport.send(get('/'), ca)).body);
      await until('all bytes', () => transport.traffic.receivedBytes === proxy.bytesDown);
      expect(transport.traffic.receivedBytes).toBeGreaterThan((i + 1) * 100_000);
      proxy.reset();
      await until('the loss', () => !transport.connected);
    }
    expect(transport.traffic.sentBytes).toBeGreaterThan(0);
  });

  it('pings an idle connection if told to, and says that it was silent', async () => {
    await using server = await startTestServer({ protocol: 'h2', authority });
    await using proxy = await startResetProxy(server.port);
    server.handler = (_request, response) => json(response, {});
    const lost: unknown[] = [];
    const options = { pingIdle: true, timeouts: { quietMs: 40, pingMs: 40 } };
    const url = `https://127.0.0.1:${proxy.port}`;
    const transport = transportTo([url], options, { onClosed: (_, error) => lost.push(error) });
    await textOf((await transport.send(get('/'), ca)).body);
    let pings = 0;
    for (const session of server.sessions) session.on('ping', () => (pings += 1));
    await until('two pings', () => pings >= 2);
    expect(lost).toEqual([]);
    proxy.freeze();
    await until('the loss', () => lost.length === 1);
    expect(lost[0]).toMatchObject({ code: 'Unavailable', cause: { code: 'DeadlineExceeded' } });
  });

  it('pings the eldest connection for all, and loses all of them when it is silent', async () => {
    await using server = await startTestServer({ protocol: 'h2', authority });
    await using proxy = await startResetProxy(server.port);
    server.handler = (_request, response) => json(response, {});
    let lost = 0;
    const options = { pingIdle: true, timeouts: { quietMs: 40, pingMs: 200 } };
    const url = `https://127.0.0.1:${proxy.port}`;
    const transport = transportTo([url], options, { onClosed: () => (lost += 1) });
    const pings: number[] = [];
    for (const [index, holder] of ['first', 'second'].entries()) {
      await textOf((await transport.send(get('/'), { ...ca, holder })).body);
      const session = [...server.sessions][index];
      pings.push(0);
      session?.on('ping', () => (pings[index] = (pings[index] ?? 0) + 1));
    }
    await until('pings', () => (pings[0] ?? 0) >= 24);
    expect(pings[1]).toBeGreaterThanOrEqual(1);
    expect(pings[1]).toBeLessThanOrEqual(4);
    proxy.freeze();
    await until('the loss of both', () => lost === 2);
  });
});

it('reaches a server by its name', async () => {
  await using server = await startTestServer({ protocol: 'plain', authority });
  server.handler = (_request, response) => json(response, {});
  const transport = transportTo([`http://localhost:${server.port}`]);
  expect((await transport.send(get('/'), {})).status).toBe(200);
  await expect(transportTo(['http://nowhere.invalid:1']).send(get('/'), {})).rejects.toMatchObject({
    code: 'Unavailable',
    details: { unsent: true },
  });
});

describe('several servers', () => {
  it('are asked one by one, moved to and abandoned as told', async () => {
    await using one = await startTestServer({ protocol: 'h2', authority });
    await using two = await startTestServer({ protocol: 'h2', authority });
    for (const [name, server] of Object.entries({ one, two })) {
      server.handler = (request, response) => {
        if (request.url === '/watch') response.write(event('a', '1'));
        else json(response, { name });
      };
    }
    const transport = transportTo([one.url, two.url]);
    const [first, second] = transport.servers as readonly [string, string];
    const nameOf = async ({ body }: HttpResponse): Promise<unknown> => JSON.parse(await textOf(body));
    expect(await nameOf(await transport.sendTo(second, get('/'), ca))).toEqual({ name: 'two' });
    expect(transport.server).toBe(first);
    const watch = await transport.send(get('/watch', { longRunning: true }), ca);
    const broken = textOf(watch.body).catch((error: unknown) => error);
    transport.use(second);
    expect(await broken).toMatchObject({ code: 'Unavailable' });
    expect(transport.servers).toEqual([second, first]);
    expect(await nameOf(await transport.send(get('/'), ca))).toEqual({ name: 'two' });
    await expect(transport.sendTo('elsewhere:1', get('/'), ca)).rejects.toMatchObject({ code: 'NotFound' });
  });

  it('are not left for a write whose connection broke: the next call tells', async () => {
    await using one = await startTestServer({ protocol: 'h2', authority });
    await using two = await startTestServer({ protocol: 'h2', authority });
    await using proxy = await startResetProxy(one.port);
    const asked: string[] = [];
    one.handler = ({ method = '' }, response) => {
      asked.push(method);
      if (method === 'POST') proxy.reset();
      else json(response, {});
    };
    const transport = transportTo([`https://127.0.0.1:${proxy.port}`, two.url]);
    const broken = transport.send({ ...get('/'), method: 'POST' }, ca);
    await expect(broken).rejects.toMatchObject({ code: 'Unavailable' });
    await textOf((await transport.send(get('/'), ca)).body);
    expect([asked, two.connections]).toEqual([['POST', 'GET'], 0]);
    proxy.refuse();
    await textOf((await transport.send(get('/'), ca)).body);
    expect([transport.server, two.connections]).toEqual([`127.0.0.1:${two.port}`, 1]);
  });

  it('are all tried before a request is given up as unsent', async () => {
    await using one = await startResetProxy(1);
    await using two = await startResetProxy(1);
    one.refuse();
    two.refuse();
    const urls = [one, two].map(({ port }) => `https://127.0.0.1:${port}`);
    const request = { ...get('/'), method: 'POST' };
    await expect(transportTo(urls).send(request, ca)).rejects.toMatchObject({
      code: 'Unavailable',
      details: { unsent: true },
    });
    expect([one, two].map(({ connections }) => connections)).toEqual([0, 0]);
  });
});

describe('a client over any sender', () => {
  it('has the verbs, the retries and the errors of one over a network', async () => {
    const paths: string[] = [];
    const answers = [
      { status: 503, headers: { 'retry-after': '0' }, text: '{}' },
      { status: 200, headers: {}, text: JSON.stringify({ metadata: { name: 'a' } }) },
      {
        status: 404,
        headers: {},
        text: JSON.stringify({ kind: 'Status', reason: 'NotFound', message: 'gone' }),
      },
    ];
    const client = createClientOver(
      { userAgent: 'test/1' },
      {
        clock: systemClock,
        random: Math.random,
        log: recordingLogger(),
        metrics: createKubeMetrics(createMetricsRegistry()),
        sender: {
          server: 'here',
          send: async ({ method, path }) => {
            paths.push(`${method} ${path}`);
            const { status = 500, headers = {}, text = '' } = answers.shift() ?? {};
            return {
              status,
              headers,
              body: Readable.from([Buffer.from(text)]),
              checkComplete: () => undefined,
            };
          },
          close: async () => undefined,
        },
      },
    );
    expect(client.server).toBe('here');
    const at = { namespace: 'n', name: 'a' };
    expect(await client.get(resources.configMaps, at, { signal })).toMatchObject({ metadata: { name: 'a' } });
    await expect(client.get(resources.configMaps, at, { signal })).rejects.toMatchObject({
      code: 'NotFound',
    });
    expect(paths).toEqual(Array.from({ length: 3 }, () => 'GET /api/v1/namespaces/n/configmaps/a'));
  });
});

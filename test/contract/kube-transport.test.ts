import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { createMetricsRegistry, systemClock } from '@selvedge/kit';
import { recordingLogger } from '@selvedge/kit/testing';
import {
  createClientOver,
  createKubeMetrics,
  createTransport,
  resources,
  type Credentials,
  type HttpRequest,
  type HttpResponse,
  type Transport,
  type TransportDeps,
  type TransportOptions,
} from '@selvedge/kube';
import { Readable } from 'node:stream';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Authority } from '../bed/pki/certificate.ts';
import { startConnectProxy } from './connect-proxy.ts';
import {
  bodyOf,
  json,
  newTestAuthority,
  startTestServer,
  type Protocol,
  type ServerRequest,
  type TestServer,
} from './http-server.ts';
import { event, until } from './kube-bench.ts';
import { startResetProxy } from './reset-proxy.ts';

const { signal } = new AbortController();
let authority: Authority;
let ca: { readonly certificateAuthority: string };
beforeAll(async () => {
  authority = await newTestAuthority();
  ca = { certificateAuthority: authority.keyPair.certificate };
});

const transports: Transport[] = [];
afterEach(async () => {
  await Promise.all(transports.splice(0).map((transport) => transport.close()));
});

function transportTo(
  servers: readonly TestServer[] | readonly [string],
  options: Partial<TransportOptions> = {},
  deps: Partial<TransportDeps> = {},
): Transport {
  const urls = servers.map((server) => (typeof server === 'string' ? server : server.url));
  const transport = createTransport(
    { servers: urls as [string, ...string[]], ...options },
    {
      clock: systemClock,
      log: recordingLogger(),
      metrics: createKubeMetrics(createMetricsRegistry()),
      ...deps,
    },
  );
  transports.push(transport);
  return transport;
}

const get = (path: string, more: Partial<HttpRequest> = {}): HttpRequest => ({
  method: 'GET',
  path,
  headers: { accept: 'application/json' },
  signal,
  ...more,
});

async function textOf(stream: AsyncIterable<unknown>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk as Uint8Array);
  return Buffer.concat(chunks).toString('utf8');
}

async function certified(commonName: string, holder: string): Promise<Credentials> {
  const { certificate, key } = await authority.issue({ commonName, usages: ['client'] });
  return { ...ca, clientCertificate: { certificate, privateKey: key }, holder };
}

/** Who the server believes it is talking to: the certificate's name and the token. */
function whoIs(request: ServerRequest): string {
  const socket = 'stream' in request ? request.stream.session?.socket : request.socket;
  const { subject } = (socket as TLSSocket).getPeerCertificate();
  return `${String(subject?.CN ?? '-')} ${request.headers.authorization ?? '-'}`;
}

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
    const answer = await transportTo([server]).send(request, ca);
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

  it('never mixes a certificate with a bearer token, and shares one connection among tokens', async () => {
    await using server = await startTestServer({ protocol, authority });
    const seen: string[] = [];
    server.handler = (request, response) => {
      seen.push(whoIs(request));
      json(response, {});
    };
    const transport = transportTo([server]);
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
    const transport = transportTo([server]);
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
    const transport = transportTo([one, two]);
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

  it('are all tried before a request is given up as unsent', async () => {
    await using one = await startResetProxy(1);
    await using two = await startResetProxy(1);
    one.refuse();
    two.refuse();
    const urls = [one, two].map(({ port }) => `https://127.0.0.1:${port}`) as unknown as readonly [string];
    const request = { ...get('/'), method: 'POST' };
    await expect(transportTo(urls).send(request, ca)).rejects.toMatchObject({
      code: 'Unavailable',
      details: { unsent: true },
    });
    expect([one, two].map(({ connections }) => connections)).toEqual([0, 0]);
  });
});

describe.each(['http', 'https'] as const)('through an %s proxy', (scheme) => {
  const options = (): { authority?: Authority } => (scheme === 'https' ? { authority } : {});

  it('opens a tunnel with credentials, for requests, upgrades and bare connections', async () => {
    await using server = await startTestServer({ protocol: 'h2', authority });
    await using proxy = await startConnectProxy({ credentials: 'site:s3cr:t', ...options() });
    server.handler = (request, response) => json(response, { who: whoIs(request) });
    const node = await certified('node', 'node');
    const transport = transportTo([server], {
      proxy: { url: proxy.url, username: 'site', password: 's3cr:t', ...ca },
    });
    const { body } = await transport.send(get('/'), node);
    expect(JSON.parse(await textOf(body))).toEqual({ who: 'node -' });
    const raw = await transport.dialRaw(signal);
    const tls = connectTls({ socket: raw, ca: ca.certificateAuthority, host: '127.0.0.1' });
    await once(tls, 'secureConnect');
    tls.destroy();
    expect(proxy.targets).toEqual([`127.0.0.1:${server.port}`, `127.0.0.1:${server.port}`]);
  });

  it('names the proxy when it refuses, never the password', async () => {
    await using server = await startTestServer({ protocol: 'h2', authority });
    await using proxy = await startConnectProxy({ credentials: 'site:right', ...options() });
    const transport = transportTo([server], {
      proxy: { url: proxy.url, username: 'site', password: 'wrong', ...ca },
    });
    const error: unknown = await transport.send(get('/'), ca).catch((failure: unknown) => failure);
    expect(error).toMatchObject({
      code: 'Unavailable',
      message: `cannot connect to 127.0.0.1:${server.port} through the proxy 127.0.0.1:${proxy.port}`,
      details: { unsent: true },
      cause: { message: expect.stringContaining('407') as string, details: { proxyStatus: 407 } },
    });
    expect(JSON.stringify(error)).not.toContain('wrong');
  });
});

describe('a proxy', () => {
  it('that says nothing is given up in time', async () => {
    await using dead = await startResetProxy(1);
    dead.freeze();
    const transport = transportTo(['https://127.0.0.1:1'], {
      proxy: { url: `http://127.0.0.1:${dead.port}` },
      timeouts: { handshakeMs: 50 },
    });
    await expect(transport.send(get('/'), ca)).rejects.toMatchObject({ details: { unsent: true } });
  });

  it('is not taken from the environment', async () => {
    await using server = await startTestServer({ protocol: 'h2', authority });
    server.handler = (_request, response) => json(response, {});
    process.env['HTTPS_PROXY'] = 'http://127.0.0.1:1';
    try {
      expect((await transportTo([server]).send(get('/'), ca)).status).toBe(200);
    } finally {
      delete process.env['HTTPS_PROXY'];
    }
  });

  it.each(['socks5://p:1', 'http://user:password@p:1', 'http://p:1/path', 'nonsense'])('is not %s', (url) => {
    expect(() => transportTo(['https://127.0.0.1:1'], { proxy: { url } })).toThrow(/the proxy is not/);
  });
});

describe('an upgrade', () => {
  /** An HTTP/1.1 server that turns the connection over, and says so in the packet of its head. */
  async function startUpgrader(): Promise<TestServer & { readonly upgraded: Duplex[] }> {
    const server = await startTestServer({ protocol: 'plain', authority });
    return Object.assign(server, { upgraded: [] as Duplex[] });
  }

  it('gives the bare connection away with what came behind the head', async () => {
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', (head) => {
        expect(head.toString()).toMatch(/^POST \/exec\?command=sh HTTP\/1\.1\r\n/);
        expect(head.toString().toLowerCase()).toContain('upgrade: spdy/3.1\r\n');
        socket.write(
          'HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: SPDY/3.1\r\n\r\nearly ',
        );
        socket.on('data', (chunk) => socket.write(chunk));
      });
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const transport = transportTo([`http://127.0.0.1:${(server.address() as AddressInfo).port}`]);
    const headers = { connection: 'Upgrade', upgrade: 'SPDY/3.1' };
    const request = { method: 'POST', path: '/exec?command=sh', headers, signal };
    const { status, headers: answered, socket } = await transport.upgrade(request, {});
    expect([status, answered['upgrade']]).toEqual([101, 'SPDY/3.1']);
    if (socket === undefined) throw new Error('no socket');
    let heard = '';
    socket.on('data', (chunk: Buffer) => (heard += chunk.toString()));
    socket.write('echo');
    await until('the echo', () => heard === 'early echo');
    const closed = once(socket, 'close');
    await transport.close();
    await closed;
    server.close();
  });

  it('passes a refusal on', async () => {
    await using server = await startUpgrader();
    server.handler = (_request, response) => json(response, { kind: 'Status', code: 403 }, 403);
    const headers = { connection: 'Upgrade', upgrade: 'websocket' };
    const { status, socket, body } = await transportTo([server]).upgrade(get('/exec', { headers }), {});
    expect([status, socket]).toEqual([403, undefined]);
    expect(JSON.parse(body.toString())).toEqual({ kind: 'Status', code: 403 });
    await until('the end of the connection', () => server.sockets === 0);
  });

  it('ends with its signal', async () => {
    await using server = await startUpgrader();
    server.handler = () => undefined;
    const stop = new AbortController();
    const failed = transportTo([server])
      .upgrade(get('/exec', { headers: { connection: 'Upgrade', upgrade: 'x' }, signal: stop.signal }), {})
      .catch((error: unknown) => error);
    await until('the connection', () => server.sockets === 1);
    const reason = new Error('enough');
    stop.abort(reason);
    expect(await failed).toBe(reason);
    await until('the end of the connection', () => server.sockets === 0);
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

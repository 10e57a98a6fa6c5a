import type { TLSSocket } from 'node:tls';
import { gzipSync } from 'node:zlib';
import { createMetricsRegistry, SelvedgeError, systemClock } from '@selvedge/kit';
import { recordingLogger } from '@selvedge/kit/testing';
import {
  createKubeClient,
  createKubeMetrics,
  resources,
  staticCredentials,
  type ClientOptions,
  type Credentials,
  type KubeClient,
  type WatchEvent,
} from '@selvedge/kube';
import type { ConfigMap } from '@selvedge/kube/types';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Authority } from '../bed/pki/certificate.ts';
import { waitFor } from '../bed/wait.ts';
import {
  bodyOf,
  breakOff,
  json,
  newTestAuthority,
  startTestServer,
  type Protocol,
  type TestServer,
} from './http-server.ts';
import { startResetProxy } from './reset-proxy.ts';

const { signal } = new AbortController();
const { configMaps, namespaces } = resources;
const at = { namespace: 'n', name: 'a' };
const until = (what: string, look: () => boolean): Promise<true> =>
  waitFor({ what, timeoutMs: 5_000, everyMs: 5 }, systemClock, async () => (look() ? true : undefined));

let authority: Authority;
let clients: KubeClient[] = [];
beforeAll(async () => {
  authority = await newTestAuthority();
});
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()));
});

function connectTo(
  url: string,
  options: Partial<ClientOptions> = {},
  credentials: Credentials = { certificateAuthority: authority.keyPair.certificate },
): KubeClient {
  const client = createKubeClient(
    { servers: [url], userAgent: 'test/1', ...options },
    {
      credentials: staticCredentials(credentials),
      clock: systemClock,
      random: Math.random,
      log: recordingLogger(),
      metrics: createKubeMetrics(createMetricsRegistry()),
    },
  );
  clients = [...clients, client];
  return client;
}

const event = (name: string, resourceVersion: string): string =>
  `${JSON.stringify({ type: 'ADDED', object: { metadata: { name, resourceVersion } } })}\n`;

async function namesOf(
  watch: AsyncIterable<readonly WatchEvent<ConfigMap>[]>,
): Promise<(string | undefined)[]> {
  const names: (string | undefined)[] = [];
  for await (const batch of watch) {
    for (const one of batch) names.push(one.type === 'BOOKMARK' ? 'bookmark' : one.object.metadata.name);
  }
  return names;
}

describe.each<Protocol>(['h2', 'http/1.1', 'plain'])('the client over %s', (protocol) => {
  let server: TestServer;
  beforeEach(async () => {
    server = await startTestServer({ protocol, authority });
  });
  afterEach(() => server[Symbol.asyncDispose]());

  it('sends method, path, query, headers and body', async () => {
    let seen: unknown;
    server.handler = (request, response) => {
      void (async () => {
        const { method, url, headers } = request;
        const { 'user-agent': agent, 'content-type': type, accept, authorization } = headers;
        seen = { method, url, agent, type, accept, authorization, body: JSON.parse(await bodyOf(request)) };
        json(response, { metadata: at });
      })();
    };
    const certificateAuthority = authority.keyPair.certificate;
    const client = connectTo(server.url, {}, { certificateAuthority, bearerToken: 't' });
    const object = { metadata: at, data: { k: 'é' } };
    await client.replace(configMaps, object, { fieldManager: 'a&b', signal });
    expect(seen).toEqual({
      method: 'PUT',
      url: '/api/v1/namespaces/n/configmaps/a?fieldManager=a%26b',
      body: { apiVersion: 'v1', kind: 'ConfigMap', ...object },
      type: 'application/json',
      accept: 'application/json',
      agent: 'test/1',
      authorization: 'Bearer t',
    });
  });

  it('makes several requests on one connection', async () => {
    server.handler = (_request, response) => json(response, { metadata: at });
    const client = connectTo(server.url);
    for (let i = 0; i < 5; i += 1) await client.get(configMaps, at, { signal });
    expect(server.connections).toBe(1);
  });

  it('unzips, and refuses more than its cap, zipped or not', async () => {
    const value = { metadata: at, data: { k: 'x'.repeat(50_000) } };
    let zipped = true;
    server.handler = (_request, response) => {
      if (!zipped) return json(response, value);
      response.writeHead(200, { 'content-encoding': 'gzip' });
      response.end(gzipSync(JSON.stringify(value)));
    };
    const large = connectTo(server.url, { maxBodyBytes: 60_000 });
    const small = connectTo(server.url, { maxBodyBytes: 40_000 });
    for (zipped of [true, false]) {
      await expect(large.get(configMaps, at, { signal })).resolves.toMatchObject(value);
      await expect(small.get(configMaps, at, { signal })).rejects.toMatchObject({
        code: 'ResourceExhausted',
      });
    }
  });

  it('says Corrupt for an answer that is not JSON', async () => {
    server.handler = (_request, response) => response.end('<html>');
    await expect(connectTo(server.url).get(configMaps, at, { signal })).rejects.toMatchObject({
      code: 'Corrupt',
    });
  });

  it('gives up when no answer begins, or when it falls silent', async () => {
    server.handler = () => undefined;
    const client = connectTo(server.url, { timeouts: { firstByteMs: 50, idleMs: 50 } });
    await expect(client.get(configMaps, at, { signal })).rejects.toMatchObject({ code: 'DeadlineExceeded' });
    server.handler = (_request, response) => void response.write('{');
    await expect(client.get(configMaps, at, { signal })).rejects.toMatchObject({ code: 'DeadlineExceeded' });
  });

  it('does not take an answer that broke off for a whole one', async () => {
    server.handler = (_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.write('{"metadata":{}}', () => setImmediate(() => breakOff(response)));
    };
    await expect(connectTo(server.url).get(configMaps, at, { signal })).rejects.toMatchObject({
      code: 'Unavailable',
    });
  });

  it('waits and tries again as the server says, a few times', async () => {
    let requests = 0;
    server.handler = (_request, response) => {
      requests += 1;
      if (requests === 3) return json(response, { metadata: at });
      response.writeHead(429, { 'retry-after': '0' });
      response.end(JSON.stringify({ kind: 'Status', reason: 'TooManyRequests', message: 'slow down' }));
    };
    await expect(connectTo(server.url).get(configMaps, at, { signal })).resolves.toBeDefined();
    requests = 10;
    const few = connectTo(server.url, { maxRetries: 2 });
    await expect(few.get(configMaps, at, { signal })).rejects.toMatchObject({
      code: 'ResourceExhausted',
      details: { reason: 'TooManyRequests', retryAfterSeconds: 0 },
    });
    expect(requests).toBe(13);
  });

  it('tells the server when a call is given up', async () => {
    const stop = new AbortController();
    let closed = false;
    let asked = false;
    server.handler = (_request, response) => {
      asked = true;
      response.on('close', () => (closed = true));
      response.write('{');
    };
    const call = connectTo(server.url).get(configMaps, at, { signal: stop.signal });
    const failed = call.catch((error: unknown) => error);
    await until('the request', () => asked);
    const reason = new SelvedgeError('enough', { code: 'Aborted' });
    stop.abort(reason);
    expect(await failed).toBe(reason);
    await until('the end of the request', () => closed);
  });

  it('reads a watch byte by byte, and nothing from a line that is not complete', async () => {
    const text = `${event('a', '1')}${event('é', '2')}`;
    server.handler = (_request, response) => {
      void (async () => {
        for (const byte of Buffer.from(`${text}{"type":"ADDED"`)) {
          await new Promise<void>((resolve) => response.write(Buffer.of(byte), resolve));
        }
        response.end();
      })();
    };
    const watch = await connectTo(server.url).watch(configMaps, { signal });
    expect(await namesOf(watch)).toEqual(['a', 'é']);
  });

  it('ends a watch that is silent for too long, or broken', async () => {
    server.handler = (_request, response) => void response.write(event('a', '1'));
    const silent = await connectTo(server.url).watch(configMaps, { idleTimeoutMs: 50, signal });
    await expect(namesOf(silent)).rejects.toMatchObject({ code: 'DeadlineExceeded' });
    await using proxy = await startResetProxy(server.port);
    const broken = await connectTo(server.url.replace(/\d+$/, String(proxy.port))).watch(configMaps, {
      signal,
    });
    const reading = namesOf(broken);
    proxy.reset();
    await expect(reading).rejects.toMatchObject({ code: 'Unavailable' });
  });

  it('does not count the time in which the reader works as silence', async () => {
    server.handler = (_request, response) => {
      response.write(event('a', '1'));
      response.end(event('b', '2'));
    };
    const watch = await connectTo(server.url).watch(configMaps, { idleTimeoutMs: 60, signal });
    let batches = 0;
    for await (const batch of watch) {
      batches += batch.length;
      await systemClock.sleep(100, signal);
    }
    expect(batches).toBe(2);
  });

  it('leaves no socket behind', async () => {
    server.handler = (_request, response) => void response.write(event('a', '1'));
    const client = connectTo(server.url);
    const watch = await client.watch(configMaps, { signal });
    const failed = namesOf(watch).catch((error: unknown) => error);
    await client.close();
    expect(await failed).toMatchObject({ code: 'Unavailable' });
    await waitFor({ what: 'no sockets' }, systemClock, async () => server.sockets === 0);
    await expect(client.get(configMaps, at, { signal })).rejects.toMatchObject({ code: 'Unavailable' });
  });
});

describe.each<Protocol>(['h2', 'http/1.1'])('TLS with %s', (protocol) => {
  let server: TestServer;
  beforeEach(async () => {
    server = await startTestServer({ protocol, authority });
    server.handler = (request, response) => {
      const socket = 'stream' in request ? request.stream.session?.socket : request.socket;
      const { subject } = (socket as TLSSocket).getPeerCertificate();
      json(response, { metadata: { name: subject?.CN ?? 'nobody' } });
    };
  });
  afterEach(() => server[Symbol.asyncDispose]());

  it('shows its certificate', async () => {
    const { certificate, key } = await authority.issue({ commonName: 'me', usages: ['client'] });
    const client = connectTo(
      server.url,
      {},
      {
        certificateAuthority: authority.keyPair.certificate,
        clientCertificate: { certificate, privateKey: key },
      },
    );
    expect((await client.get(namespaces, { name: 'x' }, { signal })).metadata.name).toBe('me');
  });

  it('refuses a server of another authority, or of another name', async () => {
    const other = await newTestAuthority();
    const stranger = connectTo(server.url, {}, { certificateAuthority: other.keyPair.certificate });
    await expect(stranger.get(namespaces, { name: 'x' }, { signal })).rejects.toMatchObject({
      code: 'Unavailable',
    });
    const misnamed = connectTo(server.url, { serverName: 'kubernetes' });
    await expect(misnamed.get(namespaces, { name: 'x' }, { signal })).rejects.toMatchObject({
      code: 'Unavailable',
    });
  });
});

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
    const client = connectTo(url, { timeouts: { idleMs: 60 } });
    const watch = await client.watch(configMaps, { signal });
    const reading = namesOf(watch);
    proxy.freeze();
    await expect(reading).rejects.toMatchObject({ code: 'Unavailable' });
  });

  it('keeps a silent connection whose pings are answered', async () => {
    await using server = await start();
    let finish: (() => void) | undefined;
    let pings = 0;
    server.handler = (_request, response) => {
      response.write(event('a', '1'));
      finish = () => response.end(event('b', '2'));
    };
    const client = connectTo(server.url, { timeouts: { idleMs: 20 } });
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

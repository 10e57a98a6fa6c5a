import type { TLSSocket } from 'node:tls';
import { gzipSync } from 'node:zlib';
import { SelvedgeError, systemClock } from '@selvedge/kit';
import { resources, type Credentials } from '@selvedge/kube';
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
import { createClientBench, event, namesOf, until, type ClientBench } from './kube-bench.ts';
import { startResetProxy } from './reset-proxy.ts';

const { signal } = new AbortController();
const { configMaps, namespaces } = resources;
const at = { namespace: 'n', name: 'a' };

let bench: ClientBench;
let authority: Authority;
const connectTo: ClientBench['connectTo'] = (...args) => bench.connectTo(...args);
beforeAll(async () => {
  bench = await createClientBench();
  ({ authority } = bench);
});
afterEach(() => bench.closeClients());

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
    const bearerToken = protocol === 'plain' ? undefined : 't';
    const client = connectTo(server.url, {}, { certificateAuthority, bearerToken });
    const object = { metadata: at, data: { k: 'é' } };
    await client.replace(configMaps, object, { fieldManager: 'a&b', signal });
    expect(seen).toEqual({
      method: 'PUT',
      url: '/api/v1/namespaces/n/configmaps/a?fieldManager=a%26b',
      body: { apiVersion: 'v1', kind: 'ConfigMap', ...object },
      type: 'application/json',
      accept: 'application/json',
      agent: 'test/1',
      authorization: protocol === 'plain' ? undefined : 'Bearer t',
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
    const watch = await connectTo(server.url).watch(configMaps, { idleTimeoutMs: 300, signal });
    let batches = 0;
    for await (const batch of watch) {
      batches += batch.length;
      await systemClock.sleep(400, signal);
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

describe('plain HTTP', () => {
  it.each(['token', 'certificate'])(
    'is not given a %s, not even on a connection that is there',
    async (which) => {
      await using server = await startTestServer({ protocol: 'plain', authority });
      let requests = 0;
      server.handler = (_request, response) => {
        requests += 1;
        json(response, { metadata: at });
      };
      const { certificate, key: privateKey } = await authority.issue({
        commonName: 'me',
        usages: ['client'],
      });
      const secret =
        which === 'token' ? { bearerToken: 't' } : { clientCertificate: { certificate, privateKey } };
      let credentials: Credentials = {};
      const client = connectTo(server.url, {}, async () => credentials);
      await client.get(configMaps, at, { signal });
      credentials = secret;
      await expect(client.get(configMaps, at, { signal })).rejects.toMatchObject({ code: 'Invalid' });
      expect([requests, server.connections]).toEqual([1, 1]);
    },
  );
});

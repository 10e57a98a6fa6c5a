import { once } from 'node:events';
import { connect as connectTcp, createServer, type AddressInfo } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { systemClock } from '@selvedge/kit';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Authority } from '../bed/pki/certificate.ts';
import { waitFor } from '../bed/wait.ts';
import { startConnectProxy } from './connect-proxy.ts';
import { type ServerAnswer, json, startTestServer } from './http-server.ts';
import { until } from './kube-bench.ts';
import { startResetProxy } from './reset-proxy.ts';
import { createTransportBench, get, textOf, whoIs, type TransportBench } from './transport-bench.ts';

import { TunnelWorld } from './tunnel-world.ts';

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

describe.each(['http', 'https'] as const)('through an %s proxy', (scheme) => {
  const options = (): { authority?: Authority } => (scheme === 'https' ? { authority } : {});

  it('opens a tunnel with credentials, for requests, upgrades and bare connections', async () => {
    await using server = await startTestServer({ protocol: 'h2', authority });
    await using proxy = await startConnectProxy({ credentials: 'site:s3cr:t', ...options() });
    server.handler = (request, response) => json(response, { who: whoIs(request) });
    const node = await certified('node', 'node');
    const transport = transportTo([server.url], {
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
    const transport = transportTo([server.url], {
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

describe('through a tunnel', () => {
  it('requests, bodies and bare connections go, TLS is with the server itself, and bytes are counted', async () => {
    await using server = await startTestServer({ protocol: 'h2', authority });
    await using world = await TunnelWorld.create();
    const tunnel = await world.server({ service: () => async () => connectTcp(server.port, '127.0.0.1') });
    const agent = await world.agent({ servers: [tunnel.ports[0] ?? 0] });
    server.handler = (request, response) => {
      response.write(`${whoIs(request)} `);
      request.on('data', (chunk: Buffer) => response.write(chunk));
      request.once('end', () => response.end());
    };
    // The address says whom to verify: nobody could dial it.
    const transport = transportTo(['https://127.0.0.1:1'], {
      open: (_url, asked) => agent.openForward('kube-apiserver', asked),
    });
    const node = await certified('node', 'node');
    const sent = 'x'.repeat(300_000);
    const { body } = await transport.send(get('/', { method: 'POST', body: sent }), node);
    expect(await textOf(body)).toBe(`node - ${sent}`);
    const { traffic } = transport;
    expect(Math.min(traffic.receivedBytes, traffic.sentBytes)).toBeGreaterThan(300_000);
    const raw = await transport.dialRaw(signal);
    const tls = connectTls({ socket: raw, ca: ca.certificateAuthority, host: '127.0.0.1' });
    await once(tls, 'secureConnect');
    tls.destroy();
  });

  it('a session that breaks is a connection that breaks, and the next request opens another', async () => {
    await using server = await startTestServer({ protocol: 'h2', authority });
    await using world = await TunnelWorld.create();
    const tunnel = await world.server({ service: () => async () => connectTcp(server.port, '127.0.0.1') });
    const agent = await world.agent({ servers: [tunnel.ports[0] ?? 0] });
    server.handler = (request, response) => {
      if (request.url === '/watch') response.write('{');
      else json(response, {});
    };
    const transport = transportTo(['https://127.0.0.1:1'], {
      open: (_url, asked) => agent.openForward('kube-apiserver', asked),
    });
    const { body } = await transport.send(get('/watch', { longRunning: true }), ca);
    tunnel.end('node-1', 'banned');
    await expect(textOf(body)).rejects.toMatchObject({ code: 'Unavailable' });
    const asked = (): Promise<boolean> => transport.send(get('/'), ca).then(({ status }) => status === 200);
    await waitFor({ what: 'another session' }, systemClock, asked);
  });

  it('what is asked for next has a connection of its own after a renewal, what runs stays', async () => {
    await using server = await startTestServer({ protocol: 'h2', authority });
    const running: ServerAnswer[] = [];
    server.handler = (request, response) => {
      if (request.url !== '/watch') return json(response, {});
      response.write('{');
      running.push(response);
    };
    const transport = transportTo([server.url]);
    const { body } = await transport.send(get('/watch', { longRunning: true }), ca);
    transport.renew();
    await textOf((await transport.send(get('/'), ca)).body);
    expect(server.sessions.size).toBe(2);
    running[0]?.end('}');
    expect(await textOf(body)).toBe('{}');
    await until('the end of the old one', () => server.sessions.size === 1);
  });

  it('the reason why there is none is told', async () => {
    await using world = await TunnelWorld.create();
    const tunnel = await world.server();
    const agent = await world.agent({ servers: [tunnel.ports[0] ?? 0] });
    const transport = transportTo(['https://127.0.0.1:1'], {
      open: (_url, asked) => agent.openForward('kube-apiserver', asked),
    });
    await expect(transport.send(get('/'), ca)).rejects.toMatchObject({
      code: 'Unavailable',
      details: { unsent: true },
      cause: { message: 'kube-apiserver: there is no service kube-apiserver' },
    });
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
      expect((await transportTo([server.url]).send(get('/'), ca)).status).toBe(200);
    } finally {
      delete process.env['HTTPS_PROXY'];
    }
  });

  it.each(['socks5://p:1', 'http://user:password@p:1', 'http://p:1/path', 'nonsense'])('is not %s', (url) => {
    expect(() => transportTo(['https://127.0.0.1:1'], { proxy: { url } })).toThrow(/the proxy is not/);
  });
});

describe('an upgrade', () => {
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
    await using server = await startTestServer({ protocol: 'plain', authority });
    server.handler = (_request, response) => json(response, { kind: 'Status', code: 403 }, 403);
    const headers = { connection: 'Upgrade', upgrade: 'websocket' };
    const { status, socket, body } = await transportTo([server.url]).upgrade(get('/exec', { headers }), {});
    expect([status, socket]).toEqual([403, undefined]);
    expect(JSON.parse(body.toString())).toEqual({ kind: 'Status', code: 403 });
    await until('the end of the connection', () => server.sockets === 0);
  });

  it('ends with its signal', async () => {
    await using server = await startTestServer({ protocol: 'plain', authority });
    server.handler = () => undefined;
    const stop = new AbortController();
    const failed = transportTo([server.url])
      .upgrade(get('/exec', { headers: { connection: 'Upgrade', upgrade: 'x' }, signal: stop.signal }), {})
      .catch((error: unknown) => error);
    await until('the connection', () => server.sockets === 1);
    const reason = new Error('enough');
    stop.abort(reason);
    expect(await failed).toBe(reason);
    await until('the end of the connection', () => server.sockets === 0);
  });
});

import { once } from 'node:events';
import { type IncomingMessage, type ServerResponse, createServer } from 'node:http';
import { createServer as createHttp2Server } from 'node:http2';
import { type AddressInfo, type Server, createServer as createTcpServer } from 'node:net';
import { SelvedgeError, systemClock } from '@selvedge/kit';
import type { Probe } from '@selvedge/kube/types';
import { describe, expect, it } from 'vitest';

import { containerWith, podWith } from '../testing.ts';
import { createCheck } from './check.ts';
import type { Exec } from './exec-check.ts';
import type { Outcome } from './outcome.ts';
import { resolvePort } from './port.ts';

const noExec: Exec = () => Promise.reject(new Error('not expected'));

function run(probe: Probe, exec: Exec = noExec): Promise<Outcome> {
  const container = containerWith({
    ports: [{ name: 'web', containerPort: 1 }],
    env: [{ name: 'A', value: 'alpha' }],
  });
  const target = { pod: podWith(), container, containerId: 'c1', podIP: () => '127.0.0.1', startedAtMs: 0 };
  return createCheck({ clock: systemClock, exec })(probe, target, new AbortController().signal);
}

async function listening(server: Server): Promise<AsyncDisposable & { readonly port: number }> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    port,
    [Symbol.asyncDispose]: async () => {
      server.close();
      await once(server, 'close');
    },
  };
}

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

async function web(handler: Handler) {
  const server = createServer(handler);
  const at = await listening(server);
  return {
    port: at.port,
    [Symbol.asyncDispose]: () => (server.closeAllConnections(), at[Symbol.asyncDispose]()),
  };
}

describe('a probe of a pod without an address', () => {
  it.each<Probe>([{ httpGet: { port: 80 } }, { tcpSocket: { port: 80 } }, { grpc: { port: 80 } }])(
    'asks nobody, this machine least of all: %o',
    async (probe) => {
      const target = { pod: podWith(), container: containerWith(), containerId: 'c1', startedAtMs: 0 };
      const check = createCheck({ clock: systemClock, exec: noExec });
      const checked = check(probe, { ...target, podIP: () => '' }, new AbortController().signal);
      await expect(checked).rejects.toMatchObject({ code: 'Unavailable' });
    },
  );
});

const unusedPort = async (): Promise<number> => {
  await using at = await listening(createTcpServer());
  return at.port;
};

describe('an HTTP probe', () => {
  it.each([
    [200, { kind: 'success' }],
    [204, { kind: 'success' }],
    [304, { kind: 'warning', output: 'Probe terminated redirects, Response body: ' }],
    [400, { kind: 'failure', output: 'HTTP probe failed with statuscode: 400' }],
    [503, { kind: 'failure', output: 'HTTP probe failed with statuscode: 503' }],
  ])('answered with %i is %o', async (status, outcome) => {
    await using at = await web((_, response) => response.writeHead(status).end());
    expect(await run({ httpGet: { port: at.port } })).toEqual(outcome);
  });

  it('sends what it was told to, under the name of the kubelet', async () => {
    const seen: IncomingMessage[] = [];
    await using at = await web((request, response) => {
      seen.push(request);
      response.end();
    });
    const httpHeaders = [
      { name: 'Host', value: 'shop.example' },
      { name: 'X-A', value: '1' },
      { name: 'x-a', value: '2' },
    ];
    await run({ httpGet: { port: at.port, path: 'health?deep=1', httpHeaders } });
    await run({
      httpGet: {
        port: at.port,
        httpHeaders: [
          { name: 'Accept', value: '' },
          { name: 'User-Agent', value: 'me' },
        ],
      },
    });
    expect([seen[0]?.url, seen[0]?.headers]).toEqual([
      '/health?deep=1',
      {
        host: 'shop.example',
        'x-a': '1, 2',
        accept: '*/*',
        'user-agent': 'kube-probe/1.36',
        connection: 'close',
      },
    ]);
    expect(seen[1]?.headers).toEqual({
      host: `127.0.0.1:${at.port}`,
      'user-agent': 'me',
      connection: 'close',
    });
  });

  it('follows redirects on its host, ten at most', async () => {
    await using at = await web((request, response) => {
      const left = Number(request.url?.slice(1));
      response.writeHead(left === 0 ? 200 : 302, { location: `/${left - 1}` }).end();
    });
    expect(await run({ httpGet: { port: at.port, path: '/9' } })).toEqual({ kind: 'success' });
    expect(await run({ httpGet: { port: at.port, path: '/10' } })).toMatchObject({
      kind: 'failure',
      output: expect.stringContaining('stopped after 10 redirects'),
    });
  });

  it('takes a redirect to another host for a success, with a warning', async () => {
    await using at = await web((_, response) =>
      response.writeHead(302, { location: 'http://other.example/' }).end('moved'),
    );
    expect(await run({ httpGet: { port: at.port } })).toEqual({
      kind: 'warning',
      output: 'Probe terminated redirects, Response body: moved',
    });
  });

  it('is over when the answer is too long to be read', async () => {
    await using at = await web((_, response) => {
      response.writeHead(200);
      response.write(Buffer.alloc(100_000));
    });
    expect(await run({ httpGet: { port: at.port } })).toEqual({ kind: 'success' });
  });

  it('fails in the words of the kubelet', async () => {
    const port = await unusedPort();
    expect(await run({ httpGet: { port, path: '/x' } })).toEqual({
      kind: 'failure',
      output: `Get "http://127.0.0.1:${port}/x": dial tcp 127.0.0.1:${port}: connect: connection refused`,
    });
    await using silent = await web(() => undefined);
    expect(await run({ httpGet: { port: silent.port }, timeoutSeconds: 0.05 })).toEqual({
      kind: 'failure',
      output: `Get "http://127.0.0.1:${silent.port}/": context deadline exceeded (Client.Timeout exceeded while awaiting headers)`,
    });
  });
});

describe('a TCP probe', () => {
  it('succeeds where something listens', async () => {
    await using at = await listening(createTcpServer((socket) => socket.end()));
    expect(await run({ tcpSocket: { port: at.port } })).toEqual({ kind: 'success' });
    expect(await run({ tcpSocket: { port: at.port, host: 'localhost' } })).toEqual({ kind: 'success' });
  });

  it('fails where nothing does', async () => {
    const port = await unusedPort();
    const output = `dial tcp 127.0.0.1:${port}: connect: connection refused`;
    expect(await run({ tcpSocket: { port } })).toEqual({ kind: 'failure', output });
  });
});

describe('a gRPC probe', () => {
  /** A health service that answers with `state`, or with a status. */
  async function health(answer: {
    readonly state?: number;
    readonly status?: string;
    readonly message?: string;
  }) {
    const asked: string[] = [];
    const server = createHttp2Server();
    server.on('stream', (stream) => {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        asked.push(Buffer.concat(chunks).subarray(7).toString());
        const trailers = { 'grpc-status': answer.status ?? '0', 'grpc-message': answer.message ?? '' };
        stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
        stream.on('wantTrailers', () => stream.sendTrailers(trailers));
        const message = answer.state === 0 ? [] : [0x08, answer.state ?? 1];
        stream.end(Buffer.from([0, 0, 0, 0, message.length, ...message]));
      });
    });
    return { asked, ...(await listening(server)) };
  }

  it.each([
    [{ state: 1 }, { kind: 'success' }],
    [{ state: 2 }, { kind: 'failure', output: 'service unhealthy (responded with "NOT_SERVING")' }],
    [{ state: 0 }, { kind: 'failure', output: 'service unhealthy (responded with "UNKNOWN")' }],
    [
      { status: '12', message: 'no%20such' },
      {
        kind: 'failure',
        output:
          'error: this server does not implement the grpc health protocol (grpc.health.v1.Health): no such',
      },
    ],
    [
      { status: '5', message: '%zz' },
      { kind: 'failure', output: 'error: health rpc probe failed: rpc error: code = 5 desc = %zz' },
    ],
  ])('answered with %o is %o', async (answer, outcome) => {
    await using at = await health(answer);
    expect(await run({ grpc: { port: at.port } })).toEqual(outcome);
  });

  it('asks for a service', async () => {
    await using at = await health({ state: 1 });
    await run({ grpc: { port: at.port, service: 'till' } });
    expect(at.asked).toEqual(['till']);
  });

  it('fails where nothing listens, and where nothing answers', async () => {
    expect(await run({ grpc: { port: await unusedPort() } })).toMatchObject({
      kind: 'failure',
      output: expect.stringContaining('ECONNREFUSED'),
    });
    const sockets = new Set<{ destroy(): void }>();
    await using at = await listening(createTcpServer((socket) => sockets.add(socket)));
    expect(await run({ grpc: { port: at.port }, timeoutSeconds: 0.05 })).toMatchObject({
      kind: 'failure',
      output: expect.stringContaining('timeout: failed to connect service'),
    });
    for (const socket of sockets) socket.destroy();
  });
});

describe('an exec probe', () => {
  const exec = { command: ['test', '$(A)', '$(B)'] };
  const answering =
    (exitCode: number): Exec =>
    (call) => {
      expect(call).toEqual({ id: 'c1', command: ['test', 'alpha', '$(B)'], timeoutMs: 3000 });
      return Promise.resolve({ exitCode, stdout: 'out ', stderr: 'err' });
    };

  it.each([
    [0, { kind: 'success' }],
    [1, { kind: 'failure', output: 'out err' }],
  ])('that exits with %i is %o', async (code, outcome) => {
    expect(await run({ exec, timeoutSeconds: 3 }, answering(code))).toEqual(outcome);
  });

  it('that takes too long fails', async () => {
    const slow: Exec = () => Promise.reject(new SelvedgeError('slow', { code: 'DeadlineExceeded' }));
    expect(await run({ exec: { command: ['sleep', '9'] } }, slow)).toEqual({
      kind: 'failure',
      output: 'command timed out: "sleep 9" timed out after 1s',
    });
  });

  it('that the runtime does not run says nothing', async () => {
    await expect(run({ exec }, noExec)).rejects.toThrow('not expected');
  });
});

describe('the port of a probe', () => {
  const container = containerWith({ ports: [{ name: 'web', containerPort: 8080 }] });

  it.each([
    ['web', 8080],
    ['81', 81],
    [82, 82],
  ])('%j is %i', (port, number) => {
    expect(resolvePort(port, container)).toBe(number);
  });

  it.each(['other', 0, 65_536, ''])('%j is none', (port) => {
    expect(() => resolvePort(port, container)).toThrow(/port/);
  });
});

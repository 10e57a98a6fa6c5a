import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { fc, test as property } from '@fast-check/vitest';
import { SelvedgeError } from '@selvedge/kit';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { textAnswer } from './errors.ts';
import {
  type TestKubelet,
  ask,
  askForStream,
  connectTo,
  createTestAuthority,
  createTestKubelet,
} from './testing.ts';
import type { AnswerRoute } from './types.ts';

const endless: AnswerRoute = {
  kind: 'answer',
  methods: ['GET'],
  path: '/endless',
  longRunning: () => true,
  async handle({ signal }) {
    async function* lines(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('first\n');
      await once(signal, 'abort');
    }
    return { ...textAnswer(200, ''), body: lines() };
  },
};

let kubelet: TestKubelet;
beforeAll(async () => {
  kubelet = await createTestKubelet({
    limits: { handshakeMs: 1_500, headersMs: 500, maxRefusals: 1_000, maxLongRunningPerUser: 2 },
    routes: [endless],
  });
});
afterAll(async () => {
  await kubelet[Symbol.asyncDispose]();
});
beforeEach(() => {
  const { reviews } = kubelet;
  reviews.failure = undefined;
  reviews.asked.length = 0;
  for (const verb of ['get', 'create']) reviews.allowed.add(`admin ${verb} proxy`);
  reviews.allowed.add('metrics get metrics').add('pods get pods');
  kubelet.prepared.length = 0;
  kubelet.location = () => kubelet.streaming.urlOf('/stream?token=1');
});

const exec = '/exec/shop/till/main?command=sh&input=1&output=1&tty=1';

describe('who comes without rights', () => {
  it.each([['/pods'], ['/healthz'], ['/metrics'], [exec], ['/no/such/path']])(
    'is unknown without credentials: %s',
    async (path) => {
      const { status, text: body } = await ask(kubelet, path);
      expect({ status, body }).toEqual({ status: 401, body: 'Unauthorized' });
    },
  );

  it('is unknown with a token that nobody issued', async () => {
    const headers = { authorization: 'Bearer made-up' };
    expect(await ask(kubelet, '/pods', { headers })).toMatchObject({ status: 401, text: 'Unauthorized' });
  });

  it('is unknown with a certificate of another authority', async () => {
    const { certificate: cert, key } = createTestAuthority('cluster').serve(['admin']);
    expect(await ask(kubelet, '/pods', { client: { cert, key } })).toMatchObject({ status: 401 });
  });

  it('is unknown with a certificate that is for servers only', async () => {
    const { certificate: cert, key } = kubelet.authority.serve(['admin']);
    expect(await ask(kubelet, '/pods', { client: { cert, key } })).toMatchObject({ status: 401 });
  });

  it('is told what he may not, in the words of the kubelet', async () => {
    expect(await ask(kubelet, '/pods', { user: 'metrics' })).toMatchObject({
      status: 403,
      text: 'Forbidden (user=metrics, verb=get, resource=nodes, subresource(s)=[pods proxy])',
    });
    const { answer, socket } = await askForStream(kubelet, exec, { user: 'metrics' });
    expect({ status: answer.statusCode, socket }).toEqual({ status: 403, socket: undefined });
    expect(await text(answer)).toContain('verb=create, resource=nodes, subresource(s)=[proxy]');
    expect(kubelet.prepared).toEqual([]);
  });

  it('does not become another by what he says of himself', async () => {
    const headers = {
      'x-remote-user': 'admin',
      'impersonate-user': 'admin',
      'x-remote-group': 'system:masters',
    };
    expect(await ask(kubelet, '/pods', { headers })).toMatchObject({ status: 401 });
    expect(await ask(kubelet, '/pods', { headers, user: 'metrics' })).toMatchObject({ status: 403 });
  });

  it('is asked to wait when the API server cannot be asked', async () => {
    kubelet.reviews.failure = new SelvedgeError('node edge is autonomous', { code: 'Unavailable' });
    expect(await ask(kubelet, '/pods', { user: 'somebody-new' })).toMatchObject({
      status: 503,
      text: 'node edge is autonomous',
    });
  });
});

describe('a page', () => {
  it('is served to who may have all, and to who may have it', async () => {
    for (const user of ['admin', 'pods']) {
      const { status, headers, text: body } = await ask(kubelet, '/pods', { user });
      expect({ status, type: headers['content-type'] }).toEqual({ status: 200, type: 'application/json' });
      expect(JSON.parse(body)).toMatchObject({ kind: 'PodList', apiVersion: 'v1' });
    }
    expect(await ask(kubelet, '/configz', { user: 'pods' })).toMatchObject({ status: 403 });
  });

  it('of running pods shows what the runtime runs', async () => {
    const { text: body } = await ask(kubelet, '/runningpods/', { user: 'admin' });
    expect(JSON.parse(body)).toMatchObject({
      items: [{ metadata: { name: 'till' }, spec: { containers: [{ name: 'main' }, { name: 'side' }] } }],
    });
  });

  it('of the config names the kubelet', async () => {
    const { text: body } = await ask(kubelet, '/configz', { user: 'admin' });
    expect(JSON.parse(body)).toMatchObject({ kubeletconfig: { maxPods: 110 } });
  });

  it('of health fails with the runtime', async () => {
    const health = (): Promise<object> => ask(kubelet, '/healthz', { user: 'admin' });
    expect(await health()).toMatchObject({ status: 200, text: 'ok' });
    kubelet.health = { kind: 'down', sinceMs: 0, error: 'no such socket' };
    expect(await health()).toMatchObject({
      status: 500,
      text: '[+]ping ok\n[-]runtime failed: no such socket\nhealthz check failed\n',
    });
    kubelet.health = { kind: 'unknown' };
    expect(await ask(kubelet, '/healthz/ping', { user: 'admin' })).toMatchObject({ text: 'ok' });
  });

  it.each([
    ['POST', '/run/shop/till/main?cmd=sh', 501, '/run is not served'],
    ['POST', '/checkpoint/shop/till/main', 403, 'checkpoint'],
    ['GET', '/spec', 404, '404 page not found'],
    ['POST', '/pods', 405, 'the method POST is not allowed'],
    ['GET', exec, 400, 'Upgrade request required'],
    ['GET', '/pods/%2e%2e/exec', 400, 'not a path'],
  ])('%s %s is refused', async (method, path, status, words) => {
    const answer = await ask(kubelet, path, { method, user: 'admin' });
    expect({ status: answer.status, text: answer.text }).toEqual({
      status,
      text: expect.stringContaining(words),
    });
  });

  it('ends when its reader goes', async () => {
    const socket = await connectTo(kubelet);
    socket.write('GET /endless HTTP/1.1\r\nhost: x\r\nauthorization: Bearer token-of-admin\r\n\r\n');
    const [chunk] = (await once(socket, 'data')) as [Buffer];
    expect(chunk.toString()).toContain('200 OK');
    socket.destroy();
    await expect.poll(() => kubelet.server.connections).toBe(0);
  });

  it('that stays ends when the node stops, at once', async () => {
    const stopping = await createTestKubelet({ routes: [endless], limits: { drainMs: 60_000 } });
    stopping.reviews.allowed.add('admin get proxy');
    const socket = await connectTo(stopping);
    socket.write('GET /endless HTTP/1.1\r\nhost: x\r\nauthorization: Bearer token-of-admin\r\n\r\n');
    await once(socket, 'data');
    const ended = once(socket.resume(), 'end');
    await Promise.all([ended, stopping[Symbol.asyncDispose]()]);
  });

  it('that stays counts: one user has so many of them', async () => {
    const open = async (): Promise<{ readonly text: string; readonly end: () => void }> => {
      const socket = await connectTo(kubelet);
      socket.write('GET /endless HTTP/1.1\r\nhost: x\r\nauthorization: Bearer token-of-admin\r\n\r\n');
      const [chunk] = (await once(socket, 'data')) as [Buffer];
      return { text: chunk.toString(), end: () => socket.destroy() };
    };
    const opened = [await open(), await open(), await open()];
    expect(opened.map((one) => one.text.slice(9, 12))).toEqual(['200', '200', '429']);
    for (const one of opened) one.end();
    await expect.poll(() => kubelet.server.connections).toBe(0);
  });
});

describe('a stream', () => {
  it('goes to the runtime with what was asked for, and its bytes both ways', async () => {
    const headers = { 'x-stream-protocol-version': ['v5.channel.k8s.io', 'v4.channel.k8s.io'] };
    const { answer, socket } = await askForStream(kubelet, exec, { user: 'admin', headers });
    expect(answer.statusCode).toBe(101);
    expect(answer.headers).toMatchObject({
      upgrade: 'SPDY/3.1',
      'x-stream-protocol-version': 'v4.channel.k8s.io',
    });
    expect(kubelet.prepared).toEqual([
      { id: 'id-of-main', command: ['sh'], stdin: true, stdout: true, stderr: false, tty: true },
    ]);
    const big = Buffer.alloc(4 * 1024 * 1024, 'x');
    const echoed = text(socket ?? process.stdin);
    socket?.end(big);
    // Its end alone is passed on: what the runtime still has to say comes.
    expect((await echoed).length).toBe('hello '.length + big.length);
    const [request] = kubelet.streaming.requests.slice(-1);
    expect(request).toMatchObject({ method: 'POST', url: '/stream?token=1' });
    expect(request?.headersDistinct['x-stream-protocol-version']).toEqual([
      'v5.channel.k8s.io',
      'v4.channel.k8s.io',
    ]);
    expect(request?.headers).not.toHaveProperty('authorization');
    await expect.poll(() => kubelet.server.connections).toBe(0);
    expect(kubelet.metrics.render()).toMatch(/stream_bytes_total\{direction="to_pod"\} 4\d{6}/);
  });

  it.each([
    ['/exec/shop/till/u1/side?command=ls&output=1', { id: 'id-of-side', command: ['ls'], tty: false }],
    ['/attach/shop/till/main?output=1&error=1', { id: 'id-of-main', tty: true, stderr: false }],
    ['/attach/shop/till/u1/side?output=1&error=1', { id: 'id-of-side', tty: false, stderr: true }],
    ['/portForward/shop/till', { sandboxId: 's1', ports: [] }],
    ['/portForward/shop/till/u1', { sandboxId: 's1', ports: [] }],
  ])('%s', async (path, wanted) => {
    const { answer, socket } = await askForStream(kubelet, path, { user: 'admin', method: 'GET' });
    socket?.destroy();
    expect(answer.statusCode).toBe(101);
    expect(kubelet.prepared).toEqual([expect.objectContaining(wanted)]);
  });

  it.each([
    ['/exec/shop/other/main?command=ls&output=1', 404, 'pod does not exist'],
    ['/exec/other/till/main?command=ls&output=1', 404, 'pod does not exist'],
    ['/exec/shop/till/u2/main?command=ls&output=1', 404, 'pod not found'],
    ['/exec/shop/till/init?command=ls&output=1', 404, 'container not found ("init")'],
    ['/exec/shop/till/none?command=ls&output=1', 404, 'container not found ("none")'],
    ['/exec/shop/till/main?command=ls', 400, 'you must specify at least 1 of stdin, stdout, stderr'],
    ['/exec/shop/till/main?output=1', 400, 'at least one command'],
    ['/portForward/shop/other', 404, 'pod does not exist'],
  ])('%s is refused', async (path, status, words) => {
    const { answer, socket } = await askForStream(kubelet, path, { user: 'admin' });
    expect({ status: answer.statusCode, socket }).toEqual({ status, socket: undefined });
    expect(await text(answer)).toContain(words);
    expect(kubelet.prepared).toEqual([]);
  });

  it('that the runtime refuses is refused with its words', async () => {
    kubelet.location = () => kubelet.streaming.urlOf('/gone');
    const { answer, socket } = await askForStream(kubelet, exec, { user: 'admin' });
    expect({ status: answer.statusCode, socket }).toEqual({ status: 404, socket: undefined });
    expect(await text(answer)).toBe('no such stream');
  });

  it('to a runtime that is away is refused', async () => {
    kubelet.location = () => new URL('http://127.0.0.1:1/stream');
    const { answer } = await askForStream(kubelet, exec, { user: 'admin' });
    expect(answer.statusCode).toBe(503);
    expect(await text(answer)).toContain('cannot be reached');
  });

  it('breaks with the runtime', async () => {
    const { socket } = await askForStream(kubelet, exec, { user: 'admin' });
    const closed = once(socket?.resume() ?? process.stdin, 'close');
    socket?.on('error', () => undefined);
    for (const one of kubelet.streaming.sockets) one.resetAndDestroy();
    await closed;
    await expect.poll(() => kubelet.server.connections).toBe(0);
  });

  it('waits for a reader who rests', async () => {
    await using patient = await createTestKubelet({ limits: { idleMs: 100 } });
    patient.reviews.allowed.add('admin create proxy');
    const { socket } = await askForStream(patient, exec, { user: 'admin' });
    const big = Buffer.alloc(8 * 1024 * 1024, 'x');
    socket?.end(big);
    // What asks for nothing more ends in the same time.
    const resting = await connectTo(patient);
    resting.write('GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n');
    expect(await text(resting)).toContain('Unauthorized');
    expect((await text(socket ?? process.stdin)).length).toBe('hello '.length + big.length);
  });

  it('without a byte for long ends', async () => {
    await using idle = await createTestKubelet({ limits: { streamIdleMs: 300 } });
    idle.reviews.allowed.add('admin create proxy');
    const { socket } = await askForStream(idle, exec, { user: 'admin' });
    socket?.on('error', () => undefined);
    await once(socket?.resume() ?? process.stdin, 'close');
    await expect.poll(() => idle.server.connections).toBe(0);
  });

  it('ends when the node stops', async () => {
    const stopping = await createTestKubelet();
    stopping.reviews.allowed.add('admin create proxy');
    const { socket } = await askForStream(stopping, exec, { user: 'admin' });
    socket?.on('error', () => undefined);
    const closed = once(socket?.resume() ?? process.stdin, 'close');
    await stopping[Symbol.asyncDispose]();
    await closed;
  });
});

describe('a listener', () => {
  it('is closed until there is a certificate, and serves the next one too', async () => {
    await using young = await createTestKubelet({ certified: false });
    expect(young.server.port).toBeUndefined();
    expect(young.metrics.render()).toContain('selvedge_kubelet_api_listening 0');
    young.certify(young.authority.serve(['127.0.0.1', 'first']));
    await expect.poll(() => young.server.port).toBeGreaterThan(0);
    const nameOf = async (): Promise<string | undefined> => {
      const socket = await connectTo(young);
      const { subjectaltname } = socket.getPeerCertificate();
      socket.destroy();
      return subjectaltname;
    };
    expect(await nameOf()).toContain('first');
    young.certify(young.authority.serve(['127.0.0.1', 'second']));
    expect(await nameOf()).toContain('second');
  });

  it('survives connections that never say anything', async () => {
    const silent = Array.from({ length: 300 }, () => {
      const socket = connect(kubelet.server.port ?? 0, '127.0.0.1');
      socket.on('error', () => undefined);
      return socket;
    });
    await expect.poll(() => kubelet.server.connections).toBe(256);
    await expect.poll(() => kubelet.server.connections, { timeout: 4_000 }).toBe(0);
    for (const socket of silent) socket.destroy();
    expect(await ask(kubelet, '/pods', { user: 'admin' })).toMatchObject({ status: 200 });
    expect(kubelet.metrics.render()).toContain('refused_connections_total{reason="source"} 44');
  });

  it('ends a connection that asks for nothing more', async () => {
    await using quick = await createTestKubelet({ limits: { idleMs: 100 } });
    const socket = await connectTo(quick);
    socket.write('GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n');
    expect(await text(socket)).toContain('Unauthorized');
    await expect.poll(() => quick.server.connections).toBe(0);
  });

  it('does not wait for a request that never comes', async () => {
    const socket = await connectTo(kubelet);
    expect(await text(socket)).toMatch(/^HTTP\/1\.1 408 |^$/);
    await expect.poll(() => kubelet.server.connections).toBe(0);
  });

  it('does not wait for headers that come one by one', async () => {
    const socket = await connectTo(kubelet);
    socket.write('GET /pods HTTP/1.1\r\nhost: x\r\n');
    const answer = await text(socket);
    expect(answer).toMatch(/^HTTP\/1\.1 408 /);
    await expect.poll(() => kubelet.server.connections).toBe(0);
  });

  it('refuses headers that are too many', async () => {
    const socket = await connectTo(kubelet);
    socket.write(`GET /pods HTTP/1.1\r\nhost: x\r\nx: ${'x'.repeat(70_000)}\r\n\r\n`);
    expect(await text(socket)).toMatch(/^HTTP\/1\.1 431 /);
  });

  it.each([
    ['two lengths', 'POST /pods HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\ncontent-length: 5\r\n\r\nGET '],
    [
      'a length and chunks',
      'POST /pods HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    ['a folded header', 'GET /pods HTTP/1.1\r\nhost: x\r\nauthorization: Bearer\r\n token-of-admin\r\n\r\n'],
    ['a bare line feed', 'GET /pods HTTP/1.1\nhost: x\n\n'],
    ['no HTTP at all', '\x16\x03\x01\x02\x00\r\n\r\n'],
  ])('takes no request with %s', async (_what, bytes) => {
    const socket = await connectTo(kubelet);
    socket.write(bytes);
    expect(await text(socket)).toMatch(/^HTTP\/1\.1 4\d\d /);
  });

  it('takes nothing of a stream before the runtime agreed', async () => {
    const socket = await connectTo(kubelet);
    const head = `POST ${exec} HTTP/1.1\r\nhost: x\r\nconnection: Upgrade\r\nupgrade: SPDY/3.1\r\n`;
    socket.write(`${head}\r\nGET /pods HTTP/1.1\r\nhost: x\r\nauthorization: Bearer token-of-admin\r\n\r\n`);
    const answer = await text(socket);
    expect(answer).toMatch(/^HTTP\/1\.1 401 /);
    expect(answer).not.toContain('PodList');
  });
});

property.prop([fc.string({ unit: 'binary-ascii', maxLength: 200 }), fc.constantFrom('GET', 'POST', 'PUT')], {
  numRuns: 60,
})('any request line has an answer, and shows nothing to strangers', async (path, method) => {
  const socket = await connectTo(kubelet);
  socket.write(`${method} /${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`);
  const answer = await text(socket);
  expect(answer).toMatch(/^HTTP\/1\.1 (400|401|408|505) /);
});

import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { SelvedgeError } from '@selvedge/kit';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { textAnswer } from '@selvedge/kit/serve';
import { ask, askForStream, connectTo } from './testing-client.ts';
import { createTestAuthority } from './testing-cluster.ts';
import { type TestKubelet, createTestKubelet } from './testing.ts';
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

const flood = (path: string, longRunning: boolean): AnswerRoute => ({
  kind: 'answer',
  methods: ['GET'],
  path,
  longRunning: () => longRunning,
  async handle() {
    async function* blocks(): AsyncGenerator<Uint8Array> {
      for (let i = 0; i < 512; i += 1) yield Buffer.alloc(64 * 1024);
    }
    return { ...textAnswer(200, ''), body: blocks() };
  },
});

let kubelet: TestKubelet;
beforeAll(async () => {
  kubelet = await createTestKubelet({
    limits: { maxLongRunningPerUser: 2 },
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
  reviews.allowed.add('admin create checkpoint').add('admin get log');
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

  it('keeps out nobody whose token was accepted lately, also from the same address', async () => {
    await using crowded = await createTestKubelet({ limits: { maxRefusals: 3 } });
    crowded.reviews.allowed.add('pods get pods');
    expect(await ask(crowded, '/pods', { user: 'pods' })).toMatchObject({ status: 200 });
    let status = 401;
    for (let i = 0; status === 401; i += 1) {
      ({ status } = await ask(crowded, '/pods', { headers: { authorization: `Bearer made-up-${i}` } }));
    }
    expect(status).toBe(429);
    expect(await ask(crowded, '/pods', { user: 'pods' })).toMatchObject({ status: 200 });
    expect(await ask(crowded, '/pods', { user: 'newcomer' })).toMatchObject({ status: 429 });
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

  it('has what needs a right of its own not by the right to everything else', async () => {
    kubelet.reviews.allowed.add('almost create proxy').add('almost get proxy');
    for (const [method, path] of [
      ['POST', '/checkpoint/shop/till/main'],
      ['GET', '/logs'],
    ] as const) {
      expect(await ask(kubelet, path, { method, user: 'almost' })).toMatchObject({ status: 403 });
    }
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
    ['POST', '/checkpoint/shop/till/main', 501, 'does not checkpoint containers'],
    ['GET', '/logs', 501, 'use journalctl'],
    ['GET', '/logs/kubelet.log', 501, 'use journalctl'],
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

describe('a client that does not take its answer', () => {
  it('is cut off, but for one that follows a log', async () => {
    await using slow = await createTestKubelet({
      limits: { idleMs: 1_500 },
      routes: [flood('/page', false), flood('/log', true)],
    });
    slow.reviews.allowed.add('admin get proxy');
    const request = (path: string): string =>
      `GET ${path} HTTP/1.1\r\nhost: edge\r\nconnection: close\r\nauthorization: Bearer token-of-admin\r\n\r\n`;
    const [log, page] = [await connectTo(slow), await connectTo(slow)];
    for (const [socket, path] of [
      [log, '/log'],
      [page, '/page'],
    ] as const) {
      socket.pause();
      socket.write(request(path));
    }
    const connections = 'selvedge_kubelet_api_connections';
    const left = (): boolean => slow.metrics.render().includes(`\n${connections} 1\n`);
    await expect.poll(left).toBe(true);
    page.destroy();
    const whole = await text(log);
    expect(whole.length).toBeGreaterThan(512 * 64 * 1024);
  });
});

import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { askForStream, connectTo } from './testing-client.ts';
import { type TestKubelet, createTestKubelet } from './testing.ts';

let kubelet: TestKubelet;
beforeAll(async () => {
  kubelet = await createTestKubelet();
});
afterAll(async () => {
  await kubelet[Symbol.asyncDispose]();
});
beforeEach(() => {
  for (const verb of ['get', 'create']) kubelet.reviews.allowed.add(`admin ${verb} proxy`);
  kubelet.prepared.length = 0;
  kubelet.location = () => kubelet.streaming.urlOf('/stream?token=1');
});

const exec = '/exec/shop/till/main?command=sh&input=1&output=1&tty=1';

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
    await using patient = await createTestKubelet({ limits: { idleMs: 1_000 } });
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

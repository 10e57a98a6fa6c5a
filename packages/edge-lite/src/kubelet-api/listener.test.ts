import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { text } from 'node:stream/consumers';
import { fc, test as property } from '@fast-check/vitest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask, connectTo } from './testing-client.ts';
import { type TestKubelet, createTestKubelet } from './testing.ts';

let kubelet: TestKubelet;
beforeAll(async () => {
  kubelet = await createTestKubelet({ limits: { handshakeMs: 3_000 } });
  kubelet.reviews.allowed.add('admin get proxy');
});
afterAll(async () => {
  await kubelet[Symbol.asyncDispose]();
});

const exec = '/exec/shop/till/main?command=sh&input=1&output=1&tty=1';

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

  it('waits for its port while another program has it', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    await using late = await createTestKubelet({ certified: false, port });
    late.certify(late.authority.serve(['127.0.0.1']));
    await expect.poll(() => late.errors).toEqual(['kubelet API does not listen']);
    expect(late.server.port).toBeUndefined();
    other.close();
    await expect.poll(() => late.server.port).toBe(port);
  });

  it('survives connections that never say anything', async () => {
    const silent = Array.from({ length: 300 }, () => {
      const socket = connect(kubelet.server.port ?? 0, '127.0.0.1');
      socket.on('error', () => undefined);
      return socket;
    });
    await expect.poll(() => silent.filter(({ closed }) => closed).length).toBeGreaterThanOrEqual(300 - 64);
    expect(kubelet.server.connections).toBeLessThanOrEqual(64);
    expect(await ask(kubelet, '/pods', { user: 'admin' })).toMatchObject({ status: 200 });
    for (const socket of silent) socket.destroy();
    await expect.poll(() => kubelet.server.connections).toBe(0);
  });

  it('ends a connection that asks for nothing more', async () => {
    await using quick = await createTestKubelet({ limits: { idleMs: 1_000 } });
    const socket = await connectTo(quick);
    socket.write('GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n');
    expect(await text(socket)).toContain('Unauthorized');
    await expect.poll(() => quick.server.connections).toBe(0);
  });

  it('does not wait for a request that never comes', async () => {
    await using hasty = await createTestKubelet({ limits: { headersMs: 500 } });
    const socket = await connectTo(hasty);
    expect(await text(socket)).toMatch(/^HTTP\/1\.1 408 |^$/);
    await expect.poll(() => hasty.server.connections).toBe(0);
  });

  it('does not wait for headers that come one by one', async () => {
    await using hasty = await createTestKubelet({ limits: { headersMs: 500 } });
    const socket = await connectTo(hasty);
    socket.write('GET /pods HTTP/1.1\r\nhost: x\r\n');
    const answer = await text(socket);
    expect(answer).toMatch(/^HTTP\/1\.1 408 /);
    await expect.poll(() => hasty.server.connections).toBe(0);
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

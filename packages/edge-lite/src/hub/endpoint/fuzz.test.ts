import { once } from 'node:events';
import { type Socket, connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { fc, test as property } from '@fast-check/vitest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestHub, ask, connectTo, createTestHub, openHttp2 } from './testing.ts';

const authorization = 'Bearer token-of-ann';

let hub: TestHub;
beforeAll(async () => {
  hub = await createTestHub({}, { limits: { headersMs: 3_000, bodyMs: 3_000, handshakeMs: 3_000 } });
});
afterAll(async () => {
  await hub[Symbol.asyncDispose]();
});

/** Sends the bytes as they are and reads to the end; undefined if the connection broke. */
async function exchange(socket: Duplex, bytes: string | Uint8Array): Promise<string> {
  let got = '';
  socket.on('data', (chunk: Buffer) => (got += chunk.toString('latin1')));
  const closed = Promise.race([once(socket, 'end'), once(socket, 'close')]).catch(() => undefined);
  socket.end(bytes);
  await closed;
  socket.destroy();
  return got;
}

const statusOf = (answer: string): number | undefined => {
  const [, code] = /^HTTP\/1\.1 (\d{3}) /.exec(answer) ?? [];
  return code === undefined ? undefined : Number(code);
};

async function stillServes(): Promise<void> {
  expect((await ask['HTTP/1.1'](hub, '/version', { headers: { authorization } })).status).toBe(200);
}

const head = (lines: readonly string[]): string => [...lines, '', ''].join('\r\n');

describe('what is no good request', () => {
  it.each([
    ['two lengths', head(['POST /x HTTP/1.1', 'host: x', 'content-length: 1', 'content-length: 2']), 400],
    [
      'a length beside chunks',
      head(['POST /x HTTP/1.1', 'host: x', 'content-length: 1', 'transfer-encoding: chunked']),
      400,
    ],
    ['no length at all', head(['POST /x HTTP/1.1', 'host: x', 'content-length: x']), 400],
    ['a folded header', head(['GET /x HTTP/1.1', 'host: x', 'a: b', ' c: d']), 400],
    ['a bare line feed in a header', 'GET /x HTTP/1.1\r\nhost: x\r\na: b\nc: d\r\n\r\n', 400],
    ['no host', head(['GET /x HTTP/1.1', `authorization: ${authorization}`]), 400],
    ['headers without end', `GET /x HTTP/1.1\r\nhost: x\r\na: ${'b'.repeat(70_000)}`, 431],
    ['a whole URL', head(['GET https://x/y HTTP/1.1', 'host: x', `authorization: ${authorization}`]), 400],
    ['a star', head(['OPTIONS * HTTP/1.1', 'host: x', `authorization: ${authorization}`]), 405],
    [
      'a broken chunk',
      `${head(['POST /x HTTP/1.1', 'host: x', `authorization: ${authorization}`, 'transfer-encoding: chunked'])}zz\r\n`,
      400,
    ],
    ['the magic of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400],
  ])('%s is refused', async (_what, bytes, status) => {
    const answer = await exchange(await connectTo(hub), bytes);
    expect(statusOf(answer)).toBe(status);
    await stillServes();
  });

  it('a request to be a tunnel is refused', async () => {
    const answer = await exchange(await connectTo(hub), head(['CONNECT x:443 HTTP/1.1', 'host: x']));
    expect([undefined, 405]).toContain(statusOf(answer));
    await stillServes();
  });

  it('headers that are too many for HTTP/2 end their stream only', async () => {
    const session = openHttp2(hub);
    const big = session.request({ ':path': '/version', authorization, a: 'b'.repeat(70_000) });
    big.on('error', () => undefined);
    const outcome = await Promise.race([
      once(big, 'response').then(([response]) => (response as { ':status': number })[':status']),
      once(big, 'close').then(() => 'closed'),
    ]).catch(() => 'closed');
    expect(['closed', 431]).toContain(outcome);
    session.destroy();
    await stillServes();
  });
});

const word = fc.constantFrom(
  'GET',
  'POST',
  '/',
  '/api/v1/pods',
  '..',
  '%2f',
  '%00',
  '?watch=1',
  ' ',
  'HTTP/1.1',
  '\r\n',
  '\r\n\r\n',
  'host: x',
  `authorization: ${authorization}`,
  'content-length: 5',
  'content-length: 99999999999',
  'transfer-encoding: chunked',
  'connection: upgrade',
  'upgrade: websocket',
  '5\r\nhello',
  '0\r\n\r\n',
);

describe('whatever is sent', () => {
  property.prop([fc.array(word, { maxLength: 20 })], { numRuns: 150 })(
    'over TLS, the answer is HTTP or nothing',
    async (words) => {
      const answer = await exchange(await connectTo(hub), words.join(''));
      const status = statusOf(answer);
      expect(answer === '' || (status !== undefined && status !== 500)).toBe(true);
    },
  );

  property.prop([fc.uint8Array({ maxLength: 600 })], { numRuns: 60 })(
    'as HTTP/2, the connection ends and the hub goes on',
    async (bytes) => {
      const socket = await connectTo(hub, { ALPNProtocols: ['h2'] });
      await exchange(socket, Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), bytes]));
    },
  );

  property.prop([fc.uint8Array({ maxLength: 600 })], { numRuns: 60 })(
    'before TLS, the connection ends',
    async (bytes) => {
      const socket: Socket = connect({ host: '127.0.0.1', port: hub.endpoint.port });
      socket.on('error', () => undefined);
      socket.end(bytes);
      await once(socket, 'finish').catch(() => undefined);
      socket.destroy();
    },
  );

  it('the hub serves others and holds nothing afterwards', async () => {
    await stillServes();
    await expect.poll(() => hub.endpoint.connections).toBe(0);
  });
});

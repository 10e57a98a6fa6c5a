import { once } from 'node:events';
import type { TLSSocket } from 'node:tls';
import { fc, it } from '@fast-check/vitest';
import { afterAll, beforeAll, describe, expect, vi } from 'vitest';
import { until } from './kube-bench.ts';
import { closed, member } from './tunnel-hostile.ts';
import { TunnelWorld, ask, joined, open, startEcho, type Target, type WorldServer } from './tunnel-world.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

let world: TunnelWorld;
let server: WorldServer;
let echo: Target;
beforeAll(async () => {
  world = await TunnelWorld.create();
  server = await world.server({ timeouts: { handshakeMs: 2_000 } });
  echo = await startEcho();
  await world.agent({ servers: [...server.ports] });
  await joined(server);
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await echo[Symbol.asyncDispose]();
});

/** A connection that was upgraded, and may send what it likes. */
async function upgraded(): Promise<TLSSocket> {
  const socket = await member(world, 'web', { port: server.ports[0] ?? 0, ALPNProtocols: ['http/1.1'] });
  const head = [
    'GET /selvedge/tunnel HTTP/1.1',
    'host: a',
    'connection: upgrade',
    'upgrade: websocket',
    'sec-websocket-version: 13',
    'sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==',
    'sec-websocket-protocol: selvedge-tls',
  ];
  socket.write(`${head.join('\r\n')}\r\n\r\n`);
  const [answer] = (await once(socket, 'data')) as [Buffer];
  expect(answer.toString('latin1')).toMatch(/^HTTP\/1\.1 101 /);
  return socket;
}

/** A masked binary message whose mask changes nothing. Source: RFC 6455 section 5.2. */
const message = (payload: Uint8Array): Buffer =>
  Buffer.concat([
    Buffer.from([0x82, 0x80 | 126, payload.length >> 8, payload.length & 255, 0, 0, 0, 0]),
    payload,
  ]);

describe('a WebSocket', () => {
  const bytes = fc.uint8Array({ minLength: 1, maxLength: 1_000 });

  it.prop([bytes, fc.boolean()], { numRuns: 60 })(
    'with random bytes, as frames or inside of them, is closed, and others go on',
    async (random, framed) => {
      const socket = await upgraded();
      socket.end(framed ? message(random) : random);
      await closed(socket);
    },
  );

  it('with a message that is too long is closed before it has come', async () => {
    const socket = await upgraded();
    // 1 GiB is announced.
    socket.write(Buffer.from([0x82, 0x80 | 127, 0, 0, 0, 0, 0x40, 0, 0, 0, 0, 0, 0, 0]));
    await closed(socket);
  });

  it('that says nothing, or too little, is closed in time', async () => {
    const [silent, slow] = [await upgraded(), await upgraded()];
    slow.write(message(Buffer.from([22, 3, 1])));
    await Promise.all([closed(silent), closed(slow)]);
    expect(await ask(await open(server, echo.address), 'undisturbed')).toBe('undisturbed');
    await until('none to be left', () => server.sessions.length === 1);
    expect(server.metrics.render()).toContain('selvedge_tunnel_handshakes 0');
  });
});

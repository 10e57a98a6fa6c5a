import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import type { TLSSocket } from 'node:tls';
import { fc, it } from '@fast-check/vitest';
import { hasClosed } from '@selvedge/kit/testing';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { until } from './kube-bench.ts';
import { member } from './tunnel-hostile.ts';
import {
  TunnelWorld,
  ask,
  joined,
  open,
  startEcho,
  startTarget,
  type Target,
  type WorldServer,
} from './tunnel-world.ts';

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

describe('the request for a WebSocket', () => {
  const line = fc.oneof(
    fc.constantFrom(
      'host: a',
      'connection: upgrade',
      'upgrade: websocket',
      'upgrade: h2c',
      'sec-websocket-version: 13',
      'sec-websocket-version: 99',
      'sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==',
      'sec-websocket-key: A',
      'sec-websocket-protocol: selvedge-tls',
      'sec-websocket-protocol: ,,selvedge-tls,',
      'sec-websocket-extensions: permessage-deflate; server_max_window_bits=99',
      'content-length: 5',
      'transfer-encoding: chunked',
      'expect: 100-continue',
    ),
    fc.string({ unit: 'binary', maxLength: 40 }),
  );
  const request = fc.constantFrom(
    'GET /selvedge/tunnel HTTP/1.1',
    'POST /selvedge/tunnel HTTP/1.1',
    'GET * HTTP/1.0',
  );

  it.prop([fc.oneof(request, fc.string()), fc.array(line, { maxLength: 12 }), fc.string()], { numRuns: 60 })(
    'is answered with a status or not at all, and its connection ends, whatever it says',
    async (first, lines, rest) => {
      const socket = await member(world, 'web', { port: server.ports[0] ?? 0, ALPNProtocols: ['http/1.1'] });
      const answer = text(socket).catch(() => '');
      socket.end(Buffer.from(`${[first, ...lines].join('\r\n')}\r\n\r\n${rest}`, 'latin1'));
      expect(await answer).toMatch(/^$|^HTTP\/1\.1 (101|[45]\d\d) /);
      await hasClosed(socket);
    },
  );

  it('that is answered with anything else is none for an agent, which tries again', async () => {
    const word = fc.oneof(
      fc.constantFrom(
        'upgrade: websocket',
        'connection: upgrade',
        'sec-websocket-accept: A',
        'x'.repeat(20_000),
      ),
      fc.string({ unit: 'binary', maxLength: 60 }),
    );
    const status = fc.constantFrom(
      'HTTP/1.1 101 Switching Protocols',
      'HTTP/1.1 200 OK',
      'HTTP/1.1 302 Found',
      '',
    );
    const answers = fc.sample(fc.tuple(status, fc.array(word, { maxLength: 6 })), { numRuns: 100, seed: 1 });
    let met = 0;
    await using liar = await startTarget((socket) => {
      const [first = '', lines = []] = answers[met] ?? [];
      met += 1;
      socket.once('data', () => {
        socket.end(Buffer.from(`${[first, ...lines].join('\r\n')}\r\n\r\n`, 'latin1'));
      });
    });
    const webSocketUrl = `ws://${liar.address}/selvedge/tunnel`;
    const agent = await world.agent({
      name: 'deceived',
      servers: [{ address: liar.address, webSocketUrl }],
      carriers: ['websocket'],
      timeouts: { retryMs: 1, maxRetryMs: 1 },
    });
    const states = new Set<string>();
    agent.onChange(({ state }) => states.add(state.kind));
    await until('all of them to have been said', () => met > answers.length);
    expect(states).toEqual(new Set(['connecting', 'waiting']));
  });
});

describe('a WebSocket', () => {
  const bytes = fc.uint8Array({ minLength: 1, maxLength: 1_000 });

  it.prop([bytes, fc.boolean()], { numRuns: 60 })(
    'with random bytes, as frames or inside of them, is closed, and others go on',
    async (random, framed) => {
      const socket = await upgraded();
      socket.end(framed ? message(random) : random);
      await hasClosed(socket);
    },
  );

  it('with a message that is too long is closed before it has come', async () => {
    const socket = await upgraded();
    // 1 GiB is announced.
    socket.write(Buffer.from([0x82, 0x80 | 127, 0, 0, 0, 0, 0x40, 0, 0, 0, 0, 0, 0, 0]));
    await hasClosed(socket);
  });

  it('that says nothing, or too little, is closed in time', async () => {
    const [silent, slow] = [await upgraded(), await upgraded()];
    slow.write(message(Buffer.from([22, 3, 1])));
    await Promise.all([hasClosed(silent), hasClosed(slow)]);
    expect(await ask(await open(server, echo.address), 'undisturbed')).toBe('undisturbed');
    await until('none to be left', () => server.sessions.length === 1);
    expect(server.metrics.render()).toContain('selvedge_tunnel_handshakes 0');
  });
});

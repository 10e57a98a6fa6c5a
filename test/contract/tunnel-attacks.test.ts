import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect as connectHttp2, type OutgoingHttpHeaders } from 'node:http2';
import { connect, type Socket } from 'node:net';
import type { ConnectionOptions, TLSSocket } from 'node:tls';
import { fc } from '@fast-check/vitest';
import { systemClock } from '@selvedge/kit';
import { hasClosed } from '@selvedge/kit/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { waitFor } from '../bed/wait.ts';
import { until } from './kube-bench.ts';
import { Frames, answerPings, askForService, frame, member, settings, stranger } from './tunnel-hostile.ts';
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

const mib = 1024 * 1024;

let world: TunnelWorld;
let server: WorldServer;
let echo: Target;
beforeAll(async () => {
  world = await TunnelWorld.create();
  server = await world.server({
    limits: { maxHandshakes: 50, maxSessionBytes: 1024 * 1024 },
    timeouts: { handshakeMs: 3_000, quietMs: 1_000, pingMs: 3_000 },
  });
  echo = await startEcho();
  await world.agent({ servers: [...server.ports] });
  await joined(server);
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await echo[Symbol.asyncDispose]();
});

/** What is said whatever happens to others. */
const works = async (): Promise<void> => {
  expect(await ask(await open(server, echo.address), 'hello')).toBe('hello');
};

const plain = (): Socket => stranger(server.ports[0] ?? 0);

const secured = (name: string, more: ConnectionOptions = {}): Promise<TLSSocket> =>
  member(world, name, { ...more, port: more.port ?? server.ports[0] ?? 0 });

describe('the port', () => {
  it('survives random bytes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 2_000 }), async (bytes) => {
        const socket = plain();
        socket.end(bytes);
        await hasClosed(socket);
      }),
      { numRuns: 100 },
    );
    await works();
  });

  it('survives random bytes of someone who has proved who it is', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ minLength: 1, maxLength: 2_000 }),
        fc.boolean(),
        async (bytes, greets) => {
          const socket = await secured('stranger');
          if (greets) socket.write(settings);
          socket.end(bytes);
          await hasClosed(socket);
        },
      ),
      { numRuns: 40 },
    );
    await until('none to be left', () => server.sessions.length === 1);
    await works();
  });

  it('closes hundreds of connections that say nothing, and lets those in that do', async () => {
    const silent = Array.from({ length: 300 }, plain);
    await Promise.all(silent.map((socket) => once(socket, 'connect')));
    await world.agent({ servers: [...server.ports], name: 'late' });
    await joined(server, 'late');
    await works();
    await Promise.all(silent.map(hasClosed));
    expect(server.metrics.render()).toMatch(/sessions_total\{outcome="displaced"\} \d{3}/);
    expect(server.metrics.render()).toContain('selvedge_tunnel_handshakes 0');
  });

  it('closes one that sends its upgrade slowly', async () => {
    const socket = await secured('slow', { ALPNProtocols: ['http/1.1'] });
    socket.write('GET /selvedge/tunnel HTTP/1.1\r\n');
    socket.write('x-padding: ');
    const drip = (): void => {
      if (!socket.destroyed) socket.write('x', () => setTimeout(drip, 20));
    };
    drip();
    await hasClosed(socket);
  });

  it.each([
    ['another path', 'GET /other HTTP/1.1', 404],
    ['no upgrade', 'GET /selvedge/tunnel HTTP/1.1', 426],
  ])('answers %s and closes', async (what, line, status) => {
    const socket = await secured('web', { ALPNProtocols: ['http/1.1'] });
    const upgrade = what === 'no upgrade' ? '' : 'connection: upgrade\r\nupgrade: websocket\r\n';
    socket.write(`${line}\r\nhost: a\r\n${upgrade}\r\n`);
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(String(answer)).toContain(` ${status} `);
    await hasClosed(socket);
  });

  it('takes no name from a header', async () => {
    const behind = await world.server({ entry: 'http' });
    const names = [
      'x-node-name: node-1',
      'x-remote-user: system:node:node-1',
      'x-forwarded-client-cert: Subject="CN=system:node:node-1"',
    ];
    const heads: string[] = [];
    await using balancer = await startTarget((socket) => {
      const upstream = connect(behind.ports[0] ?? 0, '127.0.0.1').on('error', () => undefined);
      socket.once('data', (head: Buffer) => {
        heads.push(head.toString('latin1').replace('\r\n\r\n', ['', ...names, '', ''].join('\r\n')));
        upstream.write(heads[0] ?? '', 'latin1');
        socket.pipe(upstream).pipe(socket);
      });
    });
    const webSocketUrl = `ws://${balancer.address}/selvedge/tunnel`;
    const servers = [{ address: balancer.address, webSocketUrl }];
    await world.agent({ servers, name: 'honest', carriers: ['websocket'] });
    await joined(behind, 'honest');
    expect(heads[0]).toContain('x-node-name: node-1\r\n');
    expect(behind.sessions.map(({ peer }) => peer)).toEqual(['honest']);
    expect(behind.reaches('node-1')).toBe(false);
  });

  it('speaks its own protocol only', async () => {
    await expect(secured('web', { ALPNProtocols: ['h2'] })).rejects.toMatchObject({
      code: 'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL',
    });
  });

  it('agrees with a newer peer on the version that both know', async () => {
    const socket = await secured('newer', { ALPNProtocols: ['selvedge-reverse/2', 'selvedge-reverse/1'] });
    expect(socket.alpnProtocol).toBe('selvedge-reverse/1');
    socket.destroy();
  });
});

describe('a peer that has proved who it is', () => {
  it.each([
    ['a frame of more than it may have', frame(0, 0, 1, Buffer.alloc(1_000), 2 ** 24 - 1)],
    ['a DATA frame of no stream', frame(0, 0, 0, Buffer.from('x'))],
    ['a window that overflows', frame(8, 0, 0, Buffer.from([0x7f, 0xff, 0xff, 0xff]))],
    ['a stream opened from the wrong side', frame(1, 4, 2, Buffer.from([0x82]))],
    ['settings that are cut', frame(4, 0, 0, Buffer.from([0, 4, 0]))],
    ['a ping of the wrong length', frame(6, 0, 0, Buffer.alloc(7))],
  ])('that sends %s loses its session', async (_what, bytes) => {
    const socket = await secured('hostile');
    socket.write(Buffer.concat([settings, bytes]));
    await hasClosed(socket);
    await until('its session to be gone', () => !server.reaches('hostile'));
    await works();
  });

  it.each([
    ['pings', 6, 8],
    ['settings', 4, 0],
  ])(
    'that floods with %s and never reads costs little, and loses its session',
    async (_what, type, length) => {
      const socket = await secured('hostile');
      answerPings(socket);
      await joined(server, 'hostile');
      socket.pause();
      const flood = Buffer.concat(
        Array.from({ length: 4_000 }, () => frame(type, 0, 0, Buffer.alloc(length))),
      );
      const before = process.memoryUsage().rss;
      let sent = 0;
      const pour = (): void => {
        while (!socket.destroyed && sent < 12 * mib) {
          sent += flood.length;
          if (!socket.write(flood)) break;
        }
      };
      socket.on('drain', pour);
      pour();
      const gone = async (): Promise<boolean> => !server.reaches('hostile');
      await waitFor({ what: 'the end of its session' }, systemClock, gone);
      expect(process.memoryUsage().rss - before).toBeLessThan(176 * mib);
      await works();
      socket.destroy();
    },
  );

  it('that asks for what is no service of its is refused', async () => {
    const socket = await secured('greedy', { ALPNProtocols: ['selvedge-forward/1'] });
    const http2 = connectHttp2('http://x', {
      createConnection: () => socket,
      peerMaxConcurrentStreams: 10_000,
    });
    http2.on('error', () => undefined);
    await once(http2, 'remoteSettings');
    expect(http2.remoteSettings).toMatchObject({
      maxConcurrentStreams: 1_000,
      initialWindowSize: 256 * 1024,
    });
    const statusOf = async (headers: OutgoingHttpHeaders): Promise<unknown> => {
      const stream = http2.request(headers);
      stream.on('error', () => undefined);
      const [head] = (await once(stream, 'response')) as [{ ':status'?: number }];
      return head[':status'];
    };
    for (const authority of ['etcd', '169.254.169.254:80', 'a'.repeat(300)]) {
      expect(await statusOf({ ':method': 'CONNECT', ':authority': authority })).toBe(404);
    }
    expect(await statusOf({ ':method': 'GET', ':path': '/' })).toBe(400);
    http2.destroy();
  });

  it('reaches no service before it is admitted, and a banned one is gone at once', async () => {
    const dials: string[] = [];
    const guarded = await world.server({
      identify: ({ subject }) =>
        subject.includes('banned')
          ? { kind: 'refused', reason: 'node banned is banned' }
          : { kind: 'accepted', peer: 'slow' },
      service: (name, peer) => async () => {
        dials.push(`${name} for ${peer}`);
        return connect(echo.port, '127.0.0.1');
      },
      // Nothing but the ban ends it before the test has failed.
      timeouts: { handshakeMs: 600_000, quietMs: 600_000, pingMs: 600_000 },
    });
    const port = guarded.ports[0] ?? 0;
    const ours = { port, ALPNProtocols: ['selvedge-forward/1'] };
    const banned = await secured('banned', ours);
    banned.write(askForService);
    const words: Buffer[] = [];
    banned.on('data', (chunk: Buffer) => words.push(chunk));
    await hasClosed(banned);
    expect(String(Buffer.concat(words))).toContain('node banned is banned');
    const slow = await secured('slow', ours);
    const answers = new Frames(slow);
    slow.write(askForService);
    const ping = await answers.next(6);
    // Once this is answered, all that was written before has been read.
    slow.write(frame(6, 0, 0, Buffer.from('and now?')));
    await answers.next(6);
    expect([dials, guarded.sessions]).toEqual([[], []]);
    slow.write(frame(6, 1, 0, ping));
    await answers.next(1);
    expect(dials).toEqual(['kube-apiserver for slow']);
    slow.destroy();
  });

  it('that never reads is given up, and what it is sent stays little', async () => {
    const socket = await secured('deaf');
    answerPings(socket);
    await joined(server, 'deaf');
    socket.pause();
    const before = process.memoryUsage().rss;
    const opening = server.open({ peer: 'deaf', target: 'a:1', signal: new AbortController().signal });
    await expect(opening).rejects.toMatchObject({ code: 'Unavailable' });
    await until('its session to be gone', () => !server.reaches('deaf'));
    expect(process.memoryUsage().rss - before).toBeLessThan(64 * mib);
    socket.destroy();
    await works();
  });

  it('that pours into a stream which nobody reads loses that stream, and others keep theirs', async () => {
    const talk = await open(server, echo.address);
    await world.agent({
      servers: [...server.ports],
      name: 'fountain',
      dial: async () => {
        const socket = connect({ port: echo.port, host: '127.0.0.1', allowHalfOpen: true });
        socket.write(randomBytes(3 * 1024 * 1024));
        return socket;
      },
    });
    await joined(server, 'fountain');
    const streams = await Promise.all(Array.from({ length: 8 }, () => open(server, 'a:1', 'fountain')));
    await until('some to be cut', () => streams.some(({ destroyed }) => destroyed));
    expect(streams.some(({ destroyed }) => !destroyed)).toBe(true);
    expect(await ask(talk, 'undisturbed')).toBe('undisturbed');
    for (const stream of streams) stream.destroy();
  });
});

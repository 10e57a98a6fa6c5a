import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { Readable, pipeline, type Duplex } from 'node:stream';
import { hasCode } from '@selvedge/kit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from './kube-bench.ts';
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
const { signal } = new AbortController();

const sha = (data: Uint8Array): string => createHash('sha256').update(data).digest('hex');

function* piecesOf(data: Buffer): Generator<Buffer> {
  for (let at = 0; at < data.length; at += 100_000) yield data.subarray(at, at + 100_000);
}

/** The error that a stream breaks with. */
async function breakOf(stream: Duplex): Promise<Error> {
  stream.resume();
  const [error] = await once(stream, 'error');
  return error as Error;
}

describe.each(['tls', 'websocket'] as const)('a stream over %s', (carrier) => {
  let world: TunnelWorld;
  let server: WorldServer;
  let echo: Target;
  beforeAll(async () => {
    world = await TunnelWorld.create();
    server = await world.server();
    echo = await startEcho();
    await world.agent({ servers: [...server.ports], carriers: [carrier] });
    await joined(server);
  });
  afterAll(async () => {
    await world[Symbol.asyncDispose]();
    await echo[Symbol.asyncDispose]();
  });

  it('carries 5 MiB both ways at once, on 8 streams, unharmed', async () => {
    const data = randomBytes(5 * mib);
    const sums = await Promise.all(
      Array.from({ length: 8 }, async () => {
        const stream = await open(server, echo.address);
        pipeline(Readable.from(piecesOf(data)), stream, () => undefined);
        const chunks: Buffer[] = [];
        for await (const chunk of stream as AsyncIterable<Buffer>) chunks.push(chunk);
        return sha(Buffer.concat(chunks));
      }),
    );
    expect(new Set(sums)).toEqual(new Set([sha(data)]));
    await until('all streams to be gone', () => server.sessions.every(({ streams }) => streams === 0));
    await until('all sockets to be gone', () => echo.sockets.size === 0);
  });

  it('goes on in one direction when the other has ended, whichever it is', async () => {
    await using talker = await startTarget((socket) => {
      socket.end('all that I have to say');
      socket.on('data', (chunk: Buffer) => heard.push(String(chunk)));
    });
    const heard: string[] = [];
    const stream = await open(server, talker.address);
    const words: string[] = [];
    for await (const chunk of stream.iterator({ destroyOnReturn: false })) words.push(String(chunk));
    expect(words.join('')).toBe('all that I have to say');
    stream.write('and I say ');
    await until('the first words', () => heard.join('') === 'and I say ');
    stream.end('this');
    await until('the last words', () => heard.join('') === 'and I say this');
    await until('the end', () => talker.sockets.size === 0);
  });

  it('keeps what came for a reader that comes after the end', async () => {
    await using talker = await startTarget((socket) => void socket.end('early'));
    const stream = await open(server, talker.address);
    await until('the target to have gone', () => talker.sockets.size <= 1);
    await ask(await open(server, echo.address), 'a round trip later');
    expect(await ask(stream, '')).toBe('early');
  });

  it("breaks with the target's connection", async () => {
    await using target = await startTarget((socket) => {
      socket.once('data', () => socket.resetAndDestroy());
    });
    const stream = await open(server, target.address);
    stream.write('x');
    const error = await breakOf(stream);
    expect([hasCode(error, 'Unavailable'), error.message]).toEqual([true, "the target's connection broke"]);
  });

  it("resets the target's connection when nobody wants it any more", async () => {
    const ends: string[] = [];
    await using target = await startTarget((socket) => {
      socket.resume().once('error', (error: NodeJS.ErrnoException) => ends.push(error.code ?? ''));
    });
    const stream = await open(server, target.address);
    await until('the connection', () => target.sockets.size === 1);
    stream.destroy();
    await until('the reset', () => ends.length === 1);
    expect(ends).toEqual(['ECONNRESET']);
  });

  it('is refused with what the dial says', async () => {
    await using closed = await startEcho();
    const { address } = closed;
    await closed[Symbol.asyncDispose]();
    await expect(open(server, address)).rejects.toMatchObject({
      code: 'Unavailable',
      message: `${address}: cannot connect to ${address}: ECONNREFUSED`,
      details: { status: 502 },
    });
  });

  it('is not asked for at a target that is none, or of a peer without a session', async () => {
    await expect(open(server, 'nowhere')).rejects.toMatchObject({ code: 'Invalid' });
    await expect(open(server, echo.address, 'node-2')).rejects.toMatchObject({
      code: 'Unavailable',
      details: { noSession: true },
    });
  });

  it('is given up with its signal', async () => {
    const controller = new AbortController();
    const opening = server.open({ peer: 'node-1', target: echo.address, signal: controller.signal });
    controller.abort(new Error('changed my mind'));
    await expect(opening).rejects.toThrow('changed my mind');
    await until('it to be gone', () => server.sessions.every(({ streams }) => streams === 0));
    await until('its socket to be gone', () => echo.sockets.size === 0);
  });

  it('that nobody reads does not stop its neighbours', async () => {
    let poured = 0;
    await using fountain = await startTarget((socket) => {
      const chunk = Buffer.alloc(64 * 1024);
      const pour = (): void => {
        do poured += chunk.length;
        while (socket.write(chunk));
      };
      socket.on('drain', pour);
      pour();
    });
    const stalled = await Promise.all(Array.from({ length: 10 }, () => open(server, fountain.address)));
    let last = -1;
    await until('all to be stalled', () => {
      const still = poured === last;
      last = poured;
      return still;
    });
    const data = randomBytes(4 * mib).toString('base64');
    expect(await ask(await open(server, echo.address), data)).toBe(data);
    for (const stream of stalled) stream.destroy();
    await until('all to be gone', () => fountain.sockets.size === 0);
  });
});

describe('an agent', () => {
  it('dials what its list says, and says why not', async () => {
    await using world = await TunnelWorld.create();
    await using echo = await startEcho();
    const server = await world.server();
    const agent = await world.agent({
      servers: [...server.ports],
      allow: ({ host, port }) =>
        host === 'kubelet'
          ? { kind: 'allowed', connect: { host: '127.0.0.1', port } }
          : { kind: 'refused', reason: `${host} ist nicht für dich` },
    });
    await joined(server);
    const target = `kubelet:${echo.port}`;
    expect(await ask(await open(server, target), 'hello')).toBe('hello');
    await expect(open(server, echo.address)).rejects.toMatchObject({
      code: 'Forbidden',
      message: `${echo.address}: 127.0.0.1 ist nicht für dich`,
    });
    await until('the bytes to be counted', () =>
      agent.traffic.some(({ receivedBytes }) => receivedBytes === 5),
    );
    expect(agent.traffic).toEqual([{ target, streams: 1, receivedBytes: 5, sentBytes: 5 }]);
    expect(agent.metrics.render()).toContain(
      'selvedge_tunnel_streams_total{direction="reverse",outcome="Forbidden"} 1',
    );
  });

  it('takes as many streams as it is allowed to, and no more', async () => {
    await using world = await TunnelWorld.create();
    await using echo = await startEcho();
    const server = await world.server();
    await world.agent({ servers: [...server.ports], limits: { maxStreams: 3 } });
    await joined(server);
    const streams = await Promise.all(Array.from({ length: 3 }, () => open(server, echo.address)));
    await expect(open(server, echo.address)).rejects.toMatchObject({ code: 'ResourceExhausted' });
    for (const stream of streams) stream.destroy();
    await until('room', () => server.sessions.every((session) => session.streams === 0));
    expect(await ask(await open(server, echo.address), 'again')).toBe('again');
  });

  it('gives a dial up that nobody waits for any more', async () => {
    await using world = await TunnelWorld.create();
    const server = await world.server({ timeouts: { openMs: 1_000 } });
    const signals: AbortSignal[] = [];
    await world.agent({
      servers: [...server.ports],
      dial: (_target, inner) => {
        signals.push(inner);
        return new Promise(() => undefined);
      },
    });
    await joined(server);
    await expect(open(server, 'a:1')).rejects.toMatchObject({ code: 'DeadlineExceeded' });
    await until('the dial to be given up', () => signals.every(({ aborted }) => aborted));
    expect(signals).toHaveLength(1);
  });
});

const piece = Buffer.alloc(64 * 1024);

function* endless(): Generator<Buffer> {
  for (;;) yield piece;
}

/** Bytes that wait at one end of the tunnel. */
const heldBy = ({ metrics }: Pick<WorldServer, 'metrics'>): number =>
  Number(/selvedge_tunnel_held_bytes (\d+)/.exec(metrics.render())?.[1]);

describe('what streams hold', () => {
  it('is capped for a session: the stream that holds most is cut, with the reason, and no other', async () => {
    await using world = await TunnelWorld.create();
    await using echo = await startEcho();
    await using fountain = await startTarget((socket) => void socket.write(Buffer.alloc(2 * mib)));
    const server = await world.server({ limits: { maxSessionBytes: 400 * 1024 } });
    await world.agent({ servers: [...server.ports] });
    await joined(server);
    const talk = await open(server, echo.address);
    const stalled = await Promise.all([1, 2, 3].map(() => open(server, fountain.address)));
    const errors: unknown[] = [];
    for (const stream of stalled) stream.on('error', (error) => errors.push(error));
    await until('cuts', () => errors.length === 2);
    expect(errors.every((error) => hasCode(error, 'ResourceExhausted'))).toBe(true);
    expect(stalled.filter(({ destroyed }) => !destroyed)).toHaveLength(1);
    expect(await ask(talk, 'still here')).toBe('still here');
    expect(server.metrics.render()).toContain('selvedge_tunnel_cut_streams_total 2');
  });

  it('is the window of each that nobody reads, at either end, and no more', async () => {
    await using world = await TunnelWorld.create();
    await using echo = await startEcho();
    const [window, count] = [256 * 1024, 10];
    const limits = { streamWindowBytes: window, maxStreamWindowBytes: window };
    const server = await world.server({ limits });
    const agent = await world.agent({ servers: [...server.ports], limits });
    await joined(server);
    await using fountain = await startTarget((socket) => {
      pipeline(Readable.from(endless()), socket, () => undefined);
    });
    const streams = await Promise.all(Array.from({ length: count }, () => open(server, fountain.address)));
    await until('all windows to be full', () => heldBy(server) >= count * window);
    // What was on its way then has come.
    for (const words of ['a round trip', 'another']) {
      expect(await ask(await open(server, echo.address), words)).toBe(words);
    }
    // A piece is between the window and the reader, or has been read off the target and waits for room.
    expect(heldBy(server)).toBeLessThan(count * (window + piece.length));
    expect(heldBy(agent)).toBeLessThan(count * 2 * piece.length);
    for (const stream of streams) stream.destroy();
    await until('all to be gone', () => fountain.sockets.size === 0);
  });

  it('is little for hundreds of idle streams of one session', async () => {
    await using world = await TunnelWorld.create();
    await using echo = await startEcho();
    const server = await world.server();
    await world.agent({ servers: [...server.ports], limits: { maxStreams: 300 } });
    await joined(server);
    const streams = await Promise.all(Array.from({ length: 300 }, () => open(server, echo.address)));
    expect(server.sessions.map((session) => session.streams)).toEqual([300]);
    await expect(open(server, echo.address)).rejects.toMatchObject({ code: 'ResourceExhausted' });
    expect(heldBy(server)).toBeLessThan(mib);
    for (const stream of streams) stream.destroy();
    await until('all to be gone', () => echo.sockets.size === 0);
  });
});

describe('the other direction', () => {
  it('reaches services by name, for the peer that asks', async () => {
    await using world = await TunnelWorld.create();
    await using echo = await startEcho();
    const asked: string[] = [];
    const server = await world.server({
      service: (name, peer) => {
        asked.push(`${peer} wants ${name}`);
        return name === 'kube-apiserver'
          ? async () => connect({ port: echo.port, host: '127.0.0.1', allowHalfOpen: true })
          : undefined;
      },
    });
    for (const carrier of ['tls', 'websocket'] as const) {
      const agent = await world.agent({ servers: [...server.ports], carriers: [carrier] });
      expect(await ask(await agent.openForward('kube-apiserver', signal), carrier)).toBe(carrier);
      await expect(agent.openForward('etcd', signal)).rejects.toMatchObject({
        code: 'NotFound',
        message: 'etcd: there is no service etcd',
      });
      await expect(agent.openForward('a:1', signal)).rejects.toMatchObject({ code: 'Invalid' });
      await agent.stop();
    }
    expect(new Set(asked)).toEqual(new Set(['node-1 wants kube-apiserver', 'node-1 wants etcd']));
  });
});

import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { type ServerHttp2Session, type ServerHttp2Stream, createServer } from 'node:http2';
import { type Socket, createServer as createSocketServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SelvedgeError, silentLogger, systemClock } from '@selvedge/kit';
import { createManualClock } from '@selvedge/kit/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { encodeFrame } from './frame.ts';
import { createHttp2Transport } from './http2-transport.ts';
import type { GrpcTransport } from './transport.ts';

const grpc = { ':status': 200, 'content-type': 'application/grpc' };
const signal = new AbortController().signal;

describe('the node:http2 transport', () => {
  let folder: string;
  let socketPath: string;
  let transport: GrpcTransport;
  let cleanups: (() => unknown)[];
  const create = (clock = systemClock, more: object = {}): GrpcTransport => {
    const made = createHttp2Transport(
      { endpoint: `unix://${socketPath}`, ...more },
      { clock, random: () => 0.5, log: silentLogger },
    );
    cleanups.push(() => made.close());
    return made;
  };
  const call = (): Promise<SelvedgeError | Uint8Array> =>
    transport.unary('/a.B/C', Buffer.from('hi'), { signal, deadlineMs: 5_000 }).catch((error: unknown) => {
      if (error instanceof SelvedgeError) return error;
      throw error;
    });
  /** A server that misbehaves on the level of HTTP/2. */
  const serve = async (
    onStream: (stream: ServerHttp2Stream, session: ServerHttp2Session) => void,
  ): Promise<{ readonly sessions: readonly ServerHttp2Session[] }> => {
    const server = createServer();
    const sessions: ServerHttp2Session[] = [];
    server.on('session', (session) => sessions.push(session));
    server.on('sessionError', () => undefined);
    server.on('stream', (stream) => {
      stream.on('error', () => undefined);
      if (stream.session !== undefined) onStream(stream, stream.session as ServerHttp2Session);
    });
    server.listen(socketPath);
    await once(server, 'listening');
    cleanups.push(() => {
      for (const session of sessions) session.destroy();
      server.close();
    });
    return { sessions };
  };
  const answerWith = (
    stream: ServerHttp2Stream,
    body: Uint8Array,
    trailers: Record<string, string>,
  ): void => {
    stream.respond(grpc, { waitForTrailers: true });
    stream.on('wantTrailers', () => {
      stream.sendTrailers(trailers);
    });
    stream.end(body);
  };
  const ok = (stream: ServerHttp2Stream): void => {
    answerWith(stream, encodeFrame(Buffer.from('yes')), { 'grpc-status': '0' });
  };

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'selvedge-h2-'));
    socketPath = join(folder, 's');
    cleanups = [];
    transport = create();
  });
  afterEach(async () => {
    for (const cleanup of cleanups.toReversed()) await cleanup();
    await rm(folder, { recursive: true });
  });

  it.each<[string, (stream: ServerHttp2Stream) => void, object]>([
    [
      'an answer without a status',
      (stream) => {
        stream.respond(grpc);
        stream.end(encodeFrame(Buffer.from('yes')));
      },
      { code: 'Internal', message: 'C: the answer ended without a status' },
    ],
    [
      'an answer that is no gRPC',
      (stream) => {
        stream.respond({ ':status': 200, 'content-type': 'text/html' });
        stream.end('<p>');
      },
      { code: 'Internal', message: 'C: content type "text/html" instead of application/grpc' },
    ],
    [
      'an HTTP error',
      (stream) => {
        stream.respond({ ':status': 503 }, { endStream: true });
      },
      { code: 'Unavailable', message: 'C: HTTP status 503 instead of a gRPC answer' },
    ],
    [
      'an answer that ends inside a message',
      (stream) => {
        answerWith(stream, encodeFrame(Buffer.from('yes')).subarray(0, 6), { 'grpc-status': '0' });
      },
      { code: 'Internal', message: 'C: the answer ended inside a message' },
    ],
    [
      'two answers to a unary call',
      (stream) => {
        const frame = encodeFrame(Buffer.from('yes'));
        answerWith(stream, Buffer.concat([frame, frame]), { 'grpc-status': '0' });
      },
      { code: 'Internal', message: 'C: more than one answer' },
    ],
    [
      'no answer to a unary call',
      (stream) => {
        stream.respond({ ...grpc, 'grpc-status': '0' }, { endStream: true });
      },
      { code: 'Internal', message: 'C: no answer' },
    ],
    [
      'a status that gRPC does not know',
      (stream) => {
        stream.respond({ ...grpc, 'grpc-status': '99', 'grpc-message': 'odd' }, { endStream: true });
      },
      { code: 'Internal', message: 'C: odd', details: { grpcStatus: 'UNKNOWN' } },
    ],
    [
      'a refused stream',
      (stream) => {
        stream.close(7);
      },
      { code: 'Unavailable', message: 'C: the stream was reset with HTTP/2 error 7' },
    ],
    [
      'a stream reset for asking too much',
      (stream) => {
        stream.close(11);
      },
      { code: 'ResourceExhausted' },
    ],
    [
      'a connection ended with an error',
      (stream) => {
        stream.session?.goaway(2);
      },
      { code: 'Unavailable' },
    ],
  ])('makes an error of %s', async (_, misbehave, expected) => {
    await serve(misbehave);
    expect(await call()).toMatchObject(expected);
  });

  it('says that the deadline has passed when the server was the first to act on it', async () => {
    let late = false;
    await serve((stream) => {
      late = true;
      stream.respond({ ...grpc, 'grpc-status': '1' }, { endStream: true });
    });
    transport = create({ ...systemClock, monotonicMs: () => (late ? 5_000 : 0) });
    expect(await call()).toMatchObject({ code: 'DeadlineExceeded', message: 'C: no answer within 5000 ms' });
    transport = create({ ...systemClock, monotonicMs: () => 0 });
    expect(await call()).toMatchObject({ code: 'Unavailable', details: { grpcStatus: 'CANCELLED' } });
  });

  it('opens one connection for all calls, and another once the server drains it', async () => {
    const { sessions } = await serve(ok);
    expect(await Promise.all([call(), call(), call()])).toEqual(Array(3).fill(Buffer.from('yes')));
    expect(sessions).toHaveLength(1);
    sessions[0]?.close();
    await expect.poll(async () => [await call(), sessions.length]).toEqual([Buffer.from('yes'), 2]);
  });

  it('lets the calls of a draining connection finish', async () => {
    const held: ServerHttp2Stream[] = [];
    const { sessions } = await serve((stream) => held.push(stream));
    const first = call();
    await expect.poll(() => held.length).toBe(1);
    sessions[0]?.goaway(0);
    await expect
      .poll(async () => {
        void call();
        return held.length;
      })
      .toBeGreaterThan(1);
    for (const stream of held) ok(stream);
    expect(await first).toEqual(Buffer.from('yes'));
  });

  it('can be closed although a drained server keeps its side open', async () => {
    const { sessions } = await serve(ok);
    await call();
    sessions[0]?.goaway(0);
    await expect.poll(async () => [await call(), sessions.length]).toEqual([Buffer.from('yes'), 2]);
    await transport.close();
    expect(await call()).toMatchObject({ code: 'Aborted' });
  });

  it('refuses calls over its cap, until others have ended', async () => {
    await serve(() => undefined);
    transport = create(systemClock, { maxConcurrentCalls: 2 });
    const abort = new AbortController();
    const options = { signal: abort.signal };
    const running = [1, 2].map(() => transport.unary('/a.B/C', Buffer.alloc(0), options));
    expect(await call()).toMatchObject({ code: 'ResourceExhausted' });
    abort.abort();
    expect(await Promise.allSettled(running)).toMatchObject([{ status: 'rejected' }, { status: 'rejected' }]);
    const next = transport.unary('/a.B/C', Buffer.alloc(0), { signal, deadlineMs: 20 });
    await expect(next).rejects.toMatchObject({ code: 'DeadlineExceeded' });
  });

  it('pauses between attempts, and does not dial while it pauses', async () => {
    const clock = createManualClock();
    transport = create(clock);
    expect(await call()).toMatchObject({ code: 'Unavailable', cause: { cause: { code: 'ENOENT' } } });
    await serve(ok);
    expect(await call()).toMatchObject({ code: 'Unavailable', cause: { cause: { code: 'ENOENT' } } });
    await clock.advance(51);
    expect(await call()).toEqual(Buffer.from('yes'));
  });

  it('gives up on a server that never speaks HTTP/2', async () => {
    const sockets: Socket[] = [];
    const mute = createSocketServer((socket) => sockets.push(socket.resume()));
    mute.listen(socketPath);
    await once(mute, 'listening');
    cleanups.push(() => {
      for (const socket of sockets) socket.destroy();
      mute.close();
    });
    const clock = createManualClock();
    transport = create(clock, { handshakeTimeoutMs: 200 });
    const failing = transport.unary('/a.B/C', Buffer.alloc(0), { signal });
    failing.catch(() => undefined);
    await expect.poll(() => sockets.length).toBe(1);
    await clock.asleep(2);
    await clock.advance(201);
    await expect(failing).rejects.toMatchObject({ code: 'Unavailable' });
    await expect.poll(() => sockets[0]?.closed).toBe(true);
  });

  it('stops dialing when it is closed', async () => {
    const mute = createSocketServer();
    mute.listen(socketPath);
    await once(mute, 'listening');
    cleanups.push(() => mute.close());
    const failing = transport.unary('/a.B/C', Buffer.alloc(0), { signal });
    const [failed] = await Promise.all([Promise.allSettled([failing]), transport.close()]);
    expect(failed).toMatchObject([{ reason: { code: 'Aborted' } }]);
  });
});

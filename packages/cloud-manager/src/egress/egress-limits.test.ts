import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { SelvedgeError } from '@selvedge/kit';
import { describe, expect, test } from 'vitest';
import { accepted, ask, startSink, until, useEgress } from '../../../../test/contract/egress-world.ts';
import { startEcho, startTarget } from '../../../../test/contract/tunnel-world.ts';
import { dialUnix, headOf, lastOf } from './testing.ts';

const world = useEgress();
const { dialBy, served, start } = world;

describe('limits', () => {
  test('one client has its share of streams, and all of them theirs', async () => {
    const target = await served(startSink());
    const egress = await start({ limits: { streams: 3, streamsPerClient: 2 } });
    const sockets = [
      await dialBy('TLS', egress),
      await dialBy('TLS', egress),
      await dialUnix(world.unixSocket),
    ];
    for (const socket of sockets) expect(await ask(socket, target.address)).toBe(accepted);
    const other = await dialUnix(world.unixSocket);
    expect(await ask(other, target.address)).toMatch(/^HTTP\/1\.1 429 there are 3 streams already/);
    sockets[2]?.destroy();
    await until('a free place', () => egress.streams === 2);
    const again = await dialBy('TLS', egress);
    expect(await ask(again, target.address)).toMatch(/^HTTP\/1\.1 429 certificate api has 2 streams already/);
    expect(await ask(await dialUnix(world.unixSocket), target.address)).toBe(accepted);
    expect(world.metrics()).toContain(
      'selvedge_egress_streams_total{rule="none",way="none",outcome="limited"} 2',
    );
  });

  test('a request that is too long, or does not come to an end, is given up; a stream goes on', async () => {
    const echo = await served(startEcho());
    await start({ limits: { headersMs: 1_500 } });
    const stream = await dialUnix(world.unixSocket);
    await ask(stream, echo.address);
    const long = await dialUnix(world.unixSocket);
    expect(await ask(long, '127.0.0.1:1', `x: ${'y'.repeat(9_000)}`)).toMatch(/^HTTP\/1\.1 431 /);
    const slow = await dialUnix(world.unixSocket);
    slow.write('CONNECT 127.0.0.1:1 HTTP/1.1\r\nx:');
    expect(await headOf(slow)).toMatch(/^HTTP\/1\.1 408 /);
    stream.end('still here');
    expect(await text(stream)).toBe('still here');
  });

  test('who says nothing keeps nobody out', async () => {
    const echo = await served(startEcho());
    const egress = await start({ limits: { newcomers: 2 } });
    const silent = Array.from({ length: 8 }, () =>
      connect({ port: egress.port ?? 0, host: '127.0.0.1' }).on('error', () => undefined),
    );
    await until('most of them to be closed', () => silent.filter((socket) => socket.destroyed).length >= 6);
    expect(await ask(await dialBy('TLS', egress), echo.address)).toBe(accepted);
    for (const socket of silent) socket.destroy();
  });

  test('a stream on which nothing is said for long is closed', async () => {
    const target = await served(startSink());
    const egress = await start({ limits: { idleMs: 200 } });
    const socket = await dialBy('TLS', egress);
    await ask(socket, target.address);
    expect(await lastOf(socket)).toBe('ECONNRESET');
    await until('the end', () => egress.streams === 0 && target.sockets.size === 0);
  });

  test('a stream of which one direction has ended is not waited for so long', async () => {
    const target = await served(startTarget((socket) => void socket.resume()));
    const egress = await start({ limits: { endingMs: 200 } });
    const socket = await dialUnix(world.unixSocket);
    await ask(socket, target.address);
    socket.end();
    await until('the end', () => egress.streams === 0);
  });

  test('a stop breaks off what is left, for both ends', async () => {
    const failures: unknown[] = [];
    const sink = startTarget((socket) =>
      socket.resume().on('error', ({ code }: NodeJS.ErrnoException) => failures.push(code)),
    );
    const target = await served(sink);
    const egress = await start();
    const socket = await dialBy('TLS', egress);
    await ask(socket, target.address);
    const last = lastOf(socket);
    await egress.stop();
    expect(egress.streams).toBe(0);
    expect(await last).toBe('ECONNRESET');
    await until('the destination to be left', () => target.sockets.size === 0);
    expect(failures).toEqual(['ECONNRESET']);
  });

  test('what the router refuses for its number is counted by the router alone', async () => {
    const enough = new SelvedgeError('enough streams', { code: 'ResourceExhausted' });
    await start({}, { open: () => Promise.reject(enough) });
    expect(await ask(await dialUnix(world.unixSocket), 'shop-1:10250')).toMatch(/^HTTP\/1\.1 429 /);
    expect(world.metrics()).not.toContain('outcome="limited"');
  });
});

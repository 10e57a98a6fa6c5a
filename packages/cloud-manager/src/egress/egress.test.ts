import { once } from 'node:events';
import { stat } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { type Target, formatTarget } from '@selvedge/tunnel';
import { describe, expect, test } from 'vitest';
import { type Way, accepted, ask, refuse, until, useEgress } from '../../../../test/contract/egress-world.ts';
import { startEcho, startTarget } from '../../../../test/contract/tunnel-world.ts';
import type { Opened } from './router.ts';
import { connectRequest, dialTls, dialUnix, headOf, lastOf } from './testing.ts';

const world = useEgress();
const { dialBy, served, start } = world;

describe.each<Way>(['the Unix socket', 'TLS'])('CONNECT over %s', (way) => {
  test('joins the client to the destination; each direction ends by itself', async () => {
    const echo = await served(startEcho());
    const egress = await start();
    const socket = await dialBy(way, egress);
    expect(await ask(socket, echo.address)).toBe(accepted);
    expect(egress.streams).toBe(1);
    const big = Buffer.alloc(3_000_000, 'x');
    socket.end(big);
    expect((await text(socket)).length).toBe(big.length);
    await until('the stream to be over', () => egress.streams === 0);
    const bytes = `selvedge_egress_bytes_total{rule="other",direction="to_target"} ${big.length}`;
    expect(world.metrics()).toContain(bytes);
  });

  test('gives what came behind the request to the destination', async () => {
    const echo = await served(startEcho());
    const socket = await dialBy(way, await start());
    socket.end(`${connectRequest(echo.address)}early`);
    expect(await text(socket)).toBe(`${accepted}early`);
  });

  test('says in the status line why there is no stream, on one line and in ASCII', async () => {
    const egress = await start({}, { open: refuse });
    const socket = await dialBy(way, egress);
    const said = await ask(socket, '10.0.0.1:10250');
    expect(said.split('\r\n')[0]).toBe('HTTP/1.1 403 10.0.0.1 is held by the nodes , b x: y');
    await until('the stream to be over', () => egress.streams === 0);
  });

  test.each(['nonsense', ':1', '10.0.0.1', '10.0.0.1:0', '10.0.0.1:99999'])('refuses %s', async (target) => {
    const socket = await dialBy(way, await start());
    expect(await ask(socket, target)).toMatch(/^HTTP\/1\.1 400 /);
  });

  test('is all that is spoken', async () => {
    const socket = await dialBy(way, await start());
    socket.write('GET http://10.0.0.1/ HTTP/1.1\r\nHost: x\r\n\r\n');
    expect(await text(socket)).toMatch(/^HTTP\/1\.1 405 [^]*\r\nallow: CONNECT\r\n/);
  });

  test('breaks the destination off when the client breaks', async () => {
    const failures: (string | undefined)[] = [];
    const target = await served(
      startTarget((socket) => {
        socket.on('error', (error: NodeJS.ErrnoException) => failures.push(error.code));
        const talk = (error?: Error | null): unknown => error ?? socket.write('are you there?', talk);
        // Of who closes a Unix socket is heard once there is something to say.
        socket.resume().once('end', talk);
      }),
    );
    const egress = await start();
    const socket = await dialBy(way, egress);
    expect(await ask(socket, target.address)).toBe(accepted);
    if (way === 'TLS') socket.resetAndDestroy();
    else socket.destroy();
    await until('the destination to be told', () => failures.length > 0);
    // Whether reading or writing tells first is chance.
    expect(failures[0]).toMatch(way === 'TLS' ? 'ECONNRESET' : /^(ECONNRESET|EPIPE)$/);
    await until('no stream', () => egress.streams === 0);
  });

  test('breaks the client off when the destination breaks', async () => {
    const target = await served(
      startTarget((socket) => void socket.once('data', () => socket.write('half'))),
    );
    const egress = await start();
    const socket = await dialBy(way, egress);
    expect(await ask(socket, target.address)).toBe(accepted);
    socket.write('all?');
    const [said] = (await once(socket, 'data')) as [Buffer];
    expect(String(said)).toBe('half');
    const last = lastOf(socket);
    for (const one of target.sockets) one.resetAndDestroy();
    expect(await last).toBe(way === 'TLS' ? 'ECONNRESET' : 'EPIPE');
    await until('no stream', () => egress.streams === 0);
  });

  test('holds a sender whose destination does not read', async () => {
    const target = await served(startTarget((socket) => void socket.pause()));
    const egress = await start();
    const socket = await dialBy(way, egress);
    await ask(socket, target.address);
    const piece = Buffer.alloc(1 << 20);
    let sent = 0;
    // What TCP itself takes is some MiB on either side.
    while (sent < 200 && socket.writableLength < 4 * piece.length) {
      socket.write(piece);
      sent += 1;
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(sent).toBeLessThan(200);
    socket.destroy();
    for (const one of target.sockets) one.resetAndDestroy();
    await until('no stream', () => egress.streams === 0);
  });
});

describe('who may', () => {
  test('the Unix socket is of its owner alone, and gone after the end', async () => {
    const egress = await start();
    expect((await stat(world.unixSocket)).mode & 0o777).toBe(0o600);
    await egress.stop();
    await expect(stat(world.unixSocket)).rejects.toThrow(/ENOENT/);
  });

  test('a server that starts takes the Unix socket over, and one that ends leaves it to it', async () => {
    const echo = await served(startEcho());
    const first = await start();
    const kept = await dialUnix(world.unixSocket);
    await ask(kept, echo.address);
    const second = await start();
    const taken = await dialUnix(world.unixSocket);
    await ask(taken, echo.address);
    expect([first.streams, second.streams]).toEqual([1, 1]);
    await first.stop();
    expect(await ask(await dialUnix(world.unixSocket), echo.address)).toBe(accepted);
  });

  test('a name that is not in the config opens nothing', async () => {
    const egress = await start();
    for (const pair of [world.pairs.node, world.pairs.peer, world.pairs.unix]) {
      const said = await ask(await dialBy('TLS', egress, pair), '127.0.0.1:1');
      expect(said).toMatch(/^HTTP\/1\.1 403 certificate \S+ may not open streams here\r\n/);
    }
  });

  test('a certificate of another authority, or none, does not get as far as to ask', async () => {
    const egress = await start();
    const options = { port: egress.port ?? 0, ca: world.authority.keyPair.certificate };
    for (const pair of [{ pair: world.pairs.foreign }, {}]) {
      const socket = await dialTls({ ...options, ...pair });
      socket.write(connectRequest('127.0.0.1:1'));
      expect(await headOf(socket)).toBe('');
    }
  });
});

test('the target is passed on as it was asked for', async () => {
  const asked: string[] = [];
  const open = (target: Target): Promise<Opened> => {
    asked.push(formatTarget(target));
    return refuse();
  };
  await start({}, { open });
  for (const target of ['shop-1:10250', '[2001:db8::1]:443'])
    await ask(await dialUnix(world.unixSocket), target);
  expect(asked).toEqual(['shop-1:10250', '[2001:db8::1]:443']);
});

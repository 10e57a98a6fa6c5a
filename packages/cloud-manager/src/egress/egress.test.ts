import { once } from 'node:events';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { type Socket, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { SelvedgeError, createMetricsRegistry, silentLogger, systemClock } from '@selvedge/kit';
import { breakOff, connectTcp } from '@selvedge/kit/net';
import { type Target, formatTarget } from '@selvedge/tunnel';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Target as Served, startEcho, startTarget } from '../../../../test/contract/tunnel-world.ts';
import {
  type Authority,
  type KeyPair,
  newAuthority,
  openAuthority,
} from '../../../../test/bed/pki/certificate.ts';
import { waitFor } from '../../../../test/bed/wait.ts';
import { createPemFiles } from '../serving/index.ts';
import { relayHeader } from './answers.ts';
import { type Egress, type EgressOptions, createEgress } from './egress.ts';
import { createEgressMetrics } from './metrics.ts';
import { openRelayed } from './relay-client.ts';
import type { Opened, Router } from './router.ts';
import { connectRequest, dialTls, dialUnix, headOf, lastOf } from './testing.ts';

const { signal } = new AbortController();
const accepted = 'HTTP/1.1 200 Connection established\r\n\r\n';

let authority: Authority;
let pairs: Record<'server' | 'api' | 'peer' | 'node' | 'unix' | 'foreign', KeyPair>;
const names = { addresses: ['127.0.0.1'], dnsNames: ['servers.test'] };
beforeAll(async () => {
  const now = Date.now();
  authority = await openAuthority(await newAuthority('egress', now), systemClock);
  const foreign = await openAuthority(await newAuthority('foreign', now), systemClock);
  pairs = {
    server: await authority.issue({ commonName: 'server', ...names }),
    api: await authority.issue({ commonName: 'api' }),
    peer: await authority.issue({ commonName: 'peer' }),
    node: await authority.issue({ commonName: 'system:node:shop-1', organizations: ['system:nodes'] }),
    unix: await authority.issue({ commonName: 'unix' }),
    foreign: await foreign.issue({ commonName: 'api' }),
  };
});

let folder: string;
let metrics = createMetricsRegistry();
const stops: (() => Promise<unknown>)[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'selvedge-egress-'));
});
afterEach(async () => {
  for (const stop of stops.splice(0).toReversed()) await stop();
  await rm(folder, { recursive: true });
});

const at = (name: string): string => join(folder, name);
const unixSocket = (): string => at('egress.sock');

async function served(target: Promise<Served>): Promise<Served> {
  const server = await target;
  stops.push(async () => server[Symbol.asyncDispose]());
  return server;
}

const dial = async ({ host, port }: Target): Promise<Opened> => {
  const url = new URL(`tcp://${host}:${port}`);
  const stream = await connectTcp({ url, dialMs: 5_000, allowHalfOpen: true }, systemClock, signal);
  return { stream, rule: 'other' };
};
const refuse = async (): Promise<Opened> => {
  throw new SelvedgeError('10.0.0.1 is held by the nodes α, b\r\nx: y', { code: 'Forbidden' });
};
/** Dials what is asked for; through the session of a node, whatever it is asked for. */
const router: Router = {
  open: dial,
  openHere: (node, target) => (node === 'shop-1' ? dial(target) : refuse()),
  openNode: refuse,
  openDirect: refuse,
};

async function start(options: Partial<EgressOptions> = {}, more: Partial<Router> = {}): Promise<Egress> {
  metrics = createMetricsRegistry();
  const files = { certificateFile: at('crt'), keyFile: at('key'), clientCaFile: at('ca') };
  await writeFile(files.certificateFile, pairs.server.certificate);
  await writeFile(files.keyFile, pairs.server.key);
  await writeFile(files.clientCaFile, authority.keyPair.certificate);
  const deps = { clock: systemClock, random: Math.random, log: silentLogger, metrics };
  const pem = createPemFiles(files, deps);
  await pem.start(signal);
  stops.push(() => pem.stop());
  const tls = { listen: { host: '127.0.0.1', port: 0 }, ...files, clients: ['api'], servers: ['peer'] };
  const egress = createEgress(
    { unixSocket: unixSocket(), tls, ...options },
    { ...deps, pem, router: { ...router, ...more }, egressMetrics: createEgressMetrics(metrics) },
  );
  stops.push(() => egress.stop());
  await egress.start(signal);
  return egress;
}

const until = (what: string, look: () => boolean | Promise<boolean>): Promise<true> =>
  waitFor({ what }, systemClock, async () => (await look()) || undefined);

/** Takes all that comes, says nothing, and ends when the other end has. */
const startSink = (): Promise<Served> =>
  startTarget((socket) => void socket.resume().once('end', () => socket.end()));

type Way = 'the Unix socket' | 'TLS';

async function dialBy(way: Way, egress: Egress, pair: KeyPair = pairs.api): Promise<Socket> {
  if (way === 'the Unix socket') return dialUnix(unixSocket());
  return dialTls({ port: egress.port ?? 0, ca: authority.keyPair.certificate, pair });
}

async function ask(socket: Socket, authorityOf: string, ...headers: readonly string[]): Promise<string> {
  socket.write(connectRequest(authorityOf, ...headers));
  return headOf(socket);
}

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
    expect(metrics.render()).toContain(bytes);
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
    expect((await stat(unixSocket())).mode & 0o777).toBe(0o600);
    await egress.stop();
    await expect(stat(unixSocket())).rejects.toThrow(/ENOENT/);
  });

  test('a server that starts takes the Unix socket over, and one that ends leaves it to it', async () => {
    const echo = await served(startEcho());
    const first = await start();
    const kept = await dialUnix(unixSocket());
    await ask(kept, echo.address);
    const second = await start();
    const taken = await dialUnix(unixSocket());
    await ask(taken, echo.address);
    expect([first.streams, second.streams]).toEqual([1, 1]);
    await first.stop();
    expect(await ask(await dialUnix(unixSocket()), echo.address)).toBe(accepted);
  });

  test('a name that is not in the config opens nothing', async () => {
    const egress = await start();
    for (const pair of [pairs.node, pairs.peer, pairs.unix]) {
      const said = await ask(await dialBy('TLS', egress, pair), '127.0.0.1:1');
      expect(said).toMatch(/^HTTP\/1\.1 403 certificate \S+ may not open streams here\r\n/);
    }
  });

  test('a certificate of another authority, or none, does not get as far as to ask', async () => {
    const egress = await start();
    const options = { port: egress.port ?? 0, ca: authority.keyPair.certificate };
    for (const pair of [{ pair: pairs.foreign }, {}]) {
      const socket = await dialTls({ ...options, ...pair });
      socket.write(connectRequest('127.0.0.1:1'));
      expect(await headOf(socket)).toBe('');
    }
  });
});

describe('a relay', () => {
  const relay = (
    egress: Egress,
    node: string,
    target: string,
    as: { serverName?: string; pair?: KeyPair } = {},
  ) => {
    const [host = '', port] = target.split(':');
    const { pair = pairs.peer, serverName } = as;
    const { certificate, key: privateKey } = pair;
    const pem = { certificate, privateKey, clientCa: authority.keyPair.certificate };
    const address = `127.0.0.1:${egress.port}`;
    const request = { address, node, target: { host, port: Number(port) }, signal };
    return openRelayed(request, { pem: () => pem, serverName, clock: systemClock });
  };

  test('goes to the session that this server has', async () => {
    const echo = await served(startEcho());
    const egress = await start({}, { open: refuse });
    const asOne = { serverName: 'servers.test' };
    const stream = await relay(egress, 'shop-1', echo.address, asOne);
    const big = 'y'.repeat(2_000_000);
    stream.end(big);
    expect((await text(stream)).length).toBe(big.length);
    await until('no stream', () => egress.streams === 0);
  });

  test('breaks with the destination, and breaks it off', async () => {
    const failures: (string | undefined)[] = [];
    const target = await served(
      startTarget((socket) => {
        socket.on('error', (error: NodeJS.ErrnoException) => failures.push(error.code));
        socket.write('half');
      }),
    );
    const egress = await start({}, { open: refuse });
    const [one, two] = [
      await relay(egress, 'shop-1', target.address),
      await relay(egress, 'shop-1', target.address),
    ];
    await once(one, 'data');
    const last = lastOf(one as Socket);
    breakOff(two, new Error('the caller is gone'));
    await until('the destination to be told', () => failures.length > 0);
    for (const socket of target.sockets) socket.resetAndDestroy();
    expect([failures, await last]).toEqual([['ECONNRESET'], 'ECONNRESET']);
    await until('no stream', () => egress.streams === 0);
  });

  test('says why not, and never asks a third', async () => {
    const egress = await start({}, { openNode: (_node, target) => dial(target) });
    await expect(relay(egress, 'shop-2', '127.0.0.1:1')).rejects.toMatchObject({
      code: 'Forbidden',
      message: expect.stringMatching(/answered: 10\.0\.0\.1 is held/) as string,
    });
  });

  test('tells what the node itself said from what this server says of it', async () => {
    const failing = (details: Record<string, unknown>): Partial<Router> => ({
      openHere: async () => {
        throw new SelvedgeError('no', { code: 'Unavailable', details });
      },
    });
    for (const [details, told] of [
      [{ status: 502 }, { status: 502 }],
      [{ noSession: true }, {}],
    ] as const) {
      const egress = await start({}, failing(details));
      await expect(relay(egress, 'shop-1', '127.0.0.1:1')).rejects.toHaveProperty('details', told);
      await egress.stop();
    }
  });

  test('is for other servers only', async () => {
    const egress = await start();
    await expect(relay(egress, 'shop-1', '127.0.0.1:1', { serverName: 'other.test' })).rejects.toThrow(
      /other\.test/,
    );
    const asked = relay(egress, 'shop-1', '127.0.0.1:1', { pair: pairs.api });
    await expect(asked).rejects.toThrow(/certificate api is no server that may relay/);
    const socket = await dialUnix(unixSocket());
    expect(await ask(socket, '127.0.0.1:1', `${relayHeader}: shop-1`)).toMatch(
      /403 the Unix socket is no server/,
    );
  });
});

describe('limits', () => {
  test('one client has its share of streams, and all of them theirs', async () => {
    const target = await served(startSink());
    const egress = await start({ limits: { streams: 3, streamsPerClient: 2 } });
    const sockets = [await dialBy('TLS', egress), await dialBy('TLS', egress), await dialUnix(unixSocket())];
    for (const socket of sockets) expect(await ask(socket, target.address)).toBe(accepted);
    const other = await dialUnix(unixSocket());
    expect(await ask(other, target.address)).toMatch(/^HTTP\/1\.1 429 there are 3 streams already/);
    sockets[2]?.destroy();
    await until('a free place', () => egress.streams === 2);
    const again = await dialBy('TLS', egress);
    expect(await ask(again, target.address)).toMatch(/^HTTP\/1\.1 429 certificate api has 2 streams already/);
    expect(await ask(await dialUnix(unixSocket()), target.address)).toBe(accepted);
    expect(metrics.render()).toContain(
      'selvedge_egress_streams_total{rule="none",way="none",outcome="limited"} 2',
    );
  });

  test('a request that is too long, or does not come to an end, is given up; a stream goes on', async () => {
    const echo = await served(startEcho());
    await start({ limits: { headersMs: 1_500 } });
    const stream = await dialUnix(unixSocket());
    await ask(stream, echo.address);
    const long = await dialUnix(unixSocket());
    expect(await ask(long, '127.0.0.1:1', `x: ${'y'.repeat(9_000)}`)).toMatch(/^HTTP\/1\.1 431 /);
    const slow = await dialUnix(unixSocket());
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
    const socket = await dialUnix(unixSocket());
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
    expect(await ask(await dialUnix(unixSocket()), 'shop-1:10250')).toMatch(/^HTTP\/1\.1 429 /);
    expect(metrics.render()).not.toContain('outcome="limited"');
  });
});

test('the target is passed on as it was asked for', async () => {
  const asked: string[] = [];
  const open = (target: Target): Promise<Opened> => {
    asked.push(formatTarget(target));
    return refuse();
  };
  await start({}, { open });
  for (const target of ['shop-1:10250', '[2001:db8::1]:443']) await ask(await dialUnix(unixSocket()), target);
  expect(asked).toEqual(['shop-1:10250', '[2001:db8::1]:443']);
});

import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, type Socket, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import { afterEach, beforeAll, expect, it } from 'vitest';
import { type KeyPair, newAuthority, openAuthority } from '../../../../test/bed/pki/certificate.ts';
import { waitFor } from '../../../../test/bed/wait.ts';
import { systemClock } from '../clock.ts';
import { breakOff, resetAllBy } from './break-off.ts';
import { connectTcp } from './tcp.ts';
import { secure } from './tls.ts';

const { signal } = new AbortController();
const big = Buffer.alloc(8 * 1024 * 1024);

let pair: KeyPair;
let certificateAuthority: string;
beforeAll(async () => {
  const authority = await openAuthority(await newAuthority('net', Date.now()), systemClock);
  pair = await authority.issue({ commonName: 'net', addresses: ['127.0.0.1'] });
  certificateAuthority = authority.keyPair.certificate;
});

const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).toReversed()) await stop();
});

/** Both ends of a connection: the one that dialled and the one that was dialled. */
type Ends = readonly [Socket, Socket];

const ways: Record<'TCP' | 'TLS', () => Promise<Ends>> = {
  async TCP() {
    const server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1');
    stops.push(() => server.close());
    await once(server, 'listening');
    const accepted = once(server, 'connection') as Promise<[Socket]>;
    const url = new URL(`tcp://127.0.0.1:${(server.address() as AddressInfo).port}`);
    const ours = await connectTcp({ url, dialMs: 10_000, allowHalfOpen: true }, systemClock, signal);
    const [theirs] = await accepted;
    return [ours, theirs.on('error', () => undefined)];
  },
  async TLS() {
    const server = createTlsServer({ cert: pair.certificate, key: pair.key });
    server.listen(0, '127.0.0.1');
    resetAllBy(server);
    stops.push(() => server.close());
    await once(server, 'listening');
    const accepted = once(server, 'secureConnection') as Promise<[Socket]>;
    const url = new URL(`https://127.0.0.1:${(server.address() as AddressInfo).port}`);
    const socket = await connectTcp({ url, dialMs: 10_000, allowHalfOpen: true }, systemClock, signal);
    const options = { url, handshakeMs: 10_000, trust: { certificateAuthority }, protocols: [] };
    const ours = await secure(options, { clock: systemClock, socket }, signal);
    const [theirs] = await accepted;
    return [ours, theirs.on('error', () => undefined)];
  },
};

/** What a reader sees at last, if it reads. */
function lastOf(socket: Socket): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? ''));
  socket.once('end', () => resolve('a clean end'));
  return promise;
}

it.each([
  ['TCP', 'the one that dialled', 'idle'],
  ['TCP', 'the one that was dialled', 'idle'],
  ['TCP', 'the one that dialled', 'with much unsent'],
  ['TLS', 'the one that dialled', 'idle'],
  ['TLS', 'the one that was dialled', 'idle'],
  ['TLS', 'the one that was dialled', 'with much unsent'],
] as const)('over %s, %s, %s, breaks a connection that the other end sees broken', async (way, who, how) => {
  const [dialling, dialled] = await ways[way]();
  const [ours, theirs] = who === 'the one that dialled' ? [dialling, dialled] : [dialled, dialling];
  ours.write('hello');
  await once(theirs, 'data');
  theirs.pause();
  const last = lastOf(theirs);
  if (how === 'with much unsent') ours.write(big);
  const closed = once(ours, 'close').catch(() => undefined);
  breakOff(ours, new Error('broken'));
  await closed;
  theirs.resume();
  expect(await last).toBe('ECONNRESET');
});

it.each([
  ['TCP', 'dialled', 'is being ended'],
  ['TCP', 'was dialled', 'has ended and has much to read'],
  ['TLS', 'dialled', 'is being ended'],
  ['TLS', 'was dialled', 'is being ended'],
  ['TLS', 'dialled', 'has ended and has much to read'],
  ['TLS', 'was dialled', 'has ended and has much to read'],
] as const)('over %s, closes the end of the one that %s if it %s', async (way, who, how) => {
  for (const turns of [0, 1, 2, 3]) {
    const [dialling, dialled] = await ways[way]();
    const [ours, theirs] = who === 'dialled' ? [dialling, dialled] : [dialled, dialling];
    ours.write('hello');
    await once(theirs, 'data');
    const closed = once(ours, 'close').catch(() => undefined);
    if (how === 'is being ended') ours.end('bye');
    else {
      ours.end();
      await once(ours, 'finish');
      theirs.write(big);
      ours.once('data', () => ours.pause());
      const isFull = async (): Promise<boolean> => ours.readableLength >= ours.readableHighWaterMark;
      await waitFor({ what: 'as much as it takes' }, systemClock, isFull);
    }
    for (let turn = 0; turn < turns; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    breakOff(ours, new Error('broken'));
    await closed;
    theirs.destroy();
  }
});

it('closes both directions of a Unix socket, which cannot be reset', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'selvedge-break-'));
  const server = createServer({ allowHalfOpen: true }).listen(join(folder, 'socket'));
  stops.push(
    () => rm(folder, { recursive: true }),
    () => server.close(),
  );
  await once(server, 'listening');
  const accepted = once(server, 'connection') as Promise<[Socket]>;
  const theirs = connect({ path: join(folder, 'socket'), allowHalfOpen: true });
  const [ours] = await accepted;
  ours.on('error', () => undefined);
  const last = lastOf(theirs.resume());
  breakOff(ours, new Error('broken'));
  expect(await last).toBe('a clean end');
  const failed = once(theirs, 'close').catch((error: NodeJS.ErrnoException) => error.code);
  theirs.write('more');
  expect(await failed).toBe('EPIPE');
});

it('leaves alone what is closed', () => {
  const socket = connect({ port: 1, host: '127.0.0.1' });
  socket.destroy();
  breakOff(socket, new Error('late'));
  expect(socket.errored).toBeNull();
});

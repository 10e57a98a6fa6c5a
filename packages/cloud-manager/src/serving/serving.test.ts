import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type RequestOptions, request } from 'node:https';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type TLSSocket, connect as connectTls } from 'node:tls';
import { createMetricsRegistry, raceAbort, systemClock } from '@selvedge/kit';
import { type Answer, textAnswer } from '@selvedge/kit/serve';
import { createManualClock, recordingLogger } from '@selvedge/kit/testing';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  type Authority,
  type KeyPair,
  newAuthority,
  openAuthority,
} from '../../../../test/bed/pki/certificate.ts';
import { waitFor } from '../../../../test/bed/wait.ts';
import { type PemFiles, createPemFiles } from './pem-files.ts';
import {
  type Handler,
  type SmallServer,
  type SmallServerOptions,
  createSmallServer,
} from './small-server.ts';
import { watchCertificates } from './watch-certificates.ts';

const { signal } = new AbortController();

let authority: Authority;
let pairs: readonly [KeyPair, KeyPair];
let client: KeyPair;
beforeAll(async () => {
  authority = await openAuthority(await newAuthority('test', Date.now()), systemClock);
  const server = { commonName: 'server', addresses: ['127.0.0.1'] };
  pairs = [await authority.issue(server), await authority.issue(server)];
  client = await authority.issue({ commonName: 'client' });
});

let folder: string;
const started: { stop(): Promise<void> }[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'selvedge-serving-'));
  await writeFile(join(folder, 'ca'), authority.keyPair.certificate);
});
afterEach(async () => {
  for (const service of started.splice(0).toReversed()) await service.stop();
  await rm(folder, { recursive: true });
});

const write = async ({ certificate, key }: KeyPair): Promise<void> => {
  await writeFile(join(folder, 'crt'), certificate);
  await writeFile(join(folder, 'key'), key);
};

const log = recordingLogger();
const clock = createManualClock();

async function startPem(): Promise<PemFiles> {
  const options = {
    certificateFile: join(folder, 'crt'),
    keyFile: join(folder, 'key'),
    clientCaFile: join(folder, 'ca'),
  };
  const pem = createPemFiles(options, { clock, random: () => 0.5, log });
  started.push(pem);
  await pem.start(signal);
  return pem;
}

async function serve(handler: Handler, more: Partial<SmallServerOptions> = {}): Promise<SmallServer> {
  const pem = await startPem();
  const listen = { host: '127.0.0.1', port: 0 };
  const options = {
    name: 'test',
    subsystem: 'test',
    listen,
    clientCertificate: 'optional',
    ...more,
  } as const;
  const listener = createSmallServer(options, {
    pem,
    handler,
    log,
    clock: systemClock,
    metrics: createMetricsRegistry(),
  });
  started.push(listener);
  await listener.start(signal);
  return listener;
}

interface Got {
  readonly status: number;
  readonly body: string;
  readonly serial: string;
}

async function get({ port }: SmallServer, options: RequestOptions = {}, body?: string): Promise<Got> {
  const ca = authority.keyPair.certificate;
  const sent = request({ host: '127.0.0.1', port, ca, agent: false, ...options }).end(body);
  const [response] = (await once(sent, 'response')) as [
    NodeJS.ReadableStream & { statusCode: number; socket: TLSSocket },
  ];
  const { serialNumber } = response.socket.getPeerCertificate();
  return { status: response.statusCode, body: await text(response), serial: serialNumber };
}

const quick = textAnswer(200, 'well\n');
const requestOf = (path: string): string => `GET ${path} HTTP/1.1\r\nhost: x\r\n\r\n`;

async function dial({ port }: SmallServer): Promise<TLSSocket> {
  const socket = connectTls({ host: '127.0.0.1', port, ca: authority.keyPair.certificate });
  socket.on('error', () => undefined);
  await new Promise((resolve) => socket.once('secureConnect', resolve).once('close', resolve));
  return socket;
}

const until = (what: string, look: () => boolean | Promise<boolean>): Promise<true> =>
  waitFor({ what }, systemClock, async () => (await look()) || undefined);

describe('certificate files', () => {
  test('are read again when they were replaced, but not while only one of them was', async () => {
    await write(pairs[0]);
    const pem = await startPem();
    const first = pem.current;
    let changes = 0;
    pem.onChange(() => (changes += 1));
    await clock.advance(60_000);
    expect(pem.current).toBe(first);
    await writeFile(join(folder, 'crt'), pairs[1].certificate);
    await lookAgain(() => changes === 0);
    expect(pem.current).toBe(first);
    await writeFile(join(folder, 'key'), pairs[1].key);
    await lookAgain(() => changes === 1);
    expect(pem.current).toMatchObject({ certificate: pairs[1].certificate, privateKey: pairs[1].key });
  });

  test('that cannot be used leave the old ones in use, told once, and the end of those is shown', async () => {
    await write(pairs[0]);
    const pem = await startPem();
    const metrics = createMetricsRegistry();
    watchCertificates([pem, pem], metrics);
    const { current: first } = pem;
    const before = log.lines.length;
    await writeFile(join(folder, 'ca'), '');
    for (let turn = 0; turn < 3; turn += 1) await lookAgain(() => pem.current === first);
    expect(log.lines.slice(before)).toMatchObject([
      { level: 'error', text: 'certificate not replaced, the old one stays in use' },
    ]);
    const end = new X509Certificate(pairs[0].certificate).validToDate.getTime() / 1_000;
    const line = `selvedge_manager_certificate_expiry_seconds{file="${join(folder, 'crt')}"} ${end}\n`;
    expect(metrics.render().split(line)).toHaveLength(2);
  });

  test('that cannot be used end the start', async () => {
    await write({ ...pairs[0], key: pairs[1].key });
    await expect(startPem()).rejects.toMatchObject({ code: 'Invalid' });
  });
});

/** Lets the files be looked at and read, which takes turns of its own. */
async function lookAgain(holds: () => boolean): Promise<void> {
  await clock.advance(60_000);
  await clock.asleep();
  expect(holds()).toBe(true);
}

describe('the listener', () => {
  test('answers, shows a new certificate to new connections, and hides what fails', async () => {
    await write(pairs[0]);
    const listener = await serve(async ({ request: { url } }) => {
      if (url === '/broken') throw new Error('a secret');
      return quick;
    });
    const { status, body, serial } = await get(listener);
    expect([status, body]).toEqual([200, 'well\n']);
    expect(await get(listener, { path: '/broken' })).toMatchObject({ status: 500, body: 'internal error\n' });
    await write(pairs[1]);
    await clock.advance(60_000);
    await clock.asleep();
    expect((await get(listener)).serial).not.toBe(serial);
  });

  test('hears nobody without a certificate where one is required', async () => {
    await write(pairs[0]);
    const listener = await serve(async () => textAnswer(200, ''), { clientCertificate: 'required' });
    await expect(get(listener)).rejects.toThrow(/ECONNRESET|certificate required|socket hang up/);
    expect((await get(listener, { cert: client.certificate, key: client.key })).status).toBe(200);
  });

  test('answers the requests of a connection one after the other', async () => {
    await write(pairs[0]);
    let underWay = 0;
    const listener = await serve(async ({ request: { url } }) => {
      underWay += 1;
      await new Promise((resolve) => setImmediate(resolve));
      return textAnswer(200, `${url} of ${underWay--}\n`);
    });
    const socket = await dial(listener);
    const last = 'GET /4 HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n';
    socket.write(`${['/1', '/2', '/3'].map(requestOf).join('')}${last}`);
    expect((await text(socket)).match(/\/\d of \d/g)).toEqual(['/1 of 1', '/2 of 1', '/3 of 1', '/4 of 1']);
  });

  test('ends connections that ask for too much at a time, and goes on', async () => {
    await write(pairs[0]);
    let begun = 0;
    const listener = await serve(async ({ request: { url }, signal: connected }) => {
      if (url === '/slow') begun += 1;
      return url === '/slow' ? await raceAbort(new Promise<Answer>(() => undefined), connected) : quick;
    });
    const greedy = await Promise.all(Array.from({ length: 12 }, () => dial(listener)));
    const flood = requestOf('/slow') + requestOf('/').repeat(500);
    for (const socket of greedy) socket.write(flood);
    await until('the end of all', () => greedy.every((socket) => socket.destroyed));
    expect(begun).toBeLessThanOrEqual(greedy.length);
    expect(await get(listener)).toMatchObject({ status: 200 });
  });

  test('takes no more requests than it can have, also when their connections have gone', async () => {
    await write(pairs[0]);
    const { promise, resolve } = Promise.withResolvers<Answer>();
    const stuck: Promise<Answer>[] = [];
    const listener = await serve(
      async ({ request: { url } }) =>
        (url === '/stuck' ? stuck[stuck.push(promise) - 1] : undefined) ?? quick,
      { limits: { maxConnections: 1, maxConnectionsFromLoopback: 1 } },
    );
    while (stuck.length < 4) {
      const [socket, before] = [await dial(listener), stuck.length];
      socket.write(requestOf('/stuck'));
      await until('the request or the end', () => stuck.length > before || socket.destroyed);
      socket.destroy();
    }
    const said = async (): Promise<string | undefined> => {
      const socket = await dial(listener);
      if (!socket.authorized) return undefined;
      socket.end(requestOf('/'));
      return await text(socket);
    };
    let last: string | undefined;
    const saysAgain = async (): Promise<boolean> => (last = await said()) !== undefined;
    await until('a place for a connection', saysAgain);
    expect(last).toBe('');
    resolve(quick);
    await until('an answer', async () => (await saysAgain()) && last !== '');
  });

  test('stops with silent and idle connections open', async () => {
    await write(pairs[0]);
    const listener = await serve(async () => textAnswer(200, ''));
    const silent = connect(listener.port, '127.0.0.1');
    await once(silent, 'connect');
    await get(listener);
    await listener.stop();
    silent.destroy();
  });
});

import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type RequestOptions, request } from 'node:https';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { TLSSocket } from 'node:tls';
import { systemClock } from '@selvedge/kit';
import { createManualClock, recordingLogger } from '@selvedge/kit/testing';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  type Authority,
  type KeyPair,
  newAuthority,
  openAuthority,
} from '../../../../test/bed/pki/certificate.ts';
import { type Handler, type HttpsListener, createHttpsListener, readBody } from './https-listener.ts';
import { type PemFiles, createPemFiles } from './pem-files.ts';

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

async function serve(
  handler: Handler,
  clientCertificate: 'required' | 'optional' = 'optional',
): Promise<HttpsListener> {
  const pem = await startPem();
  const options = { name: 'test', listen: { host: '127.0.0.1', port: 0 }, clientCertificate } as const;
  const listener = createHttpsListener(options, { pem, handler, log, clock: systemClock });
  started.push(listener);
  await listener.start(signal);
  return listener;
}

interface Got {
  readonly status: number;
  readonly body: string;
  readonly serial: string;
}

async function get({ port }: HttpsListener, options: RequestOptions = {}, body?: string): Promise<Got> {
  const ca = authority.keyPair.certificate;
  const sent = request({ host: '127.0.0.1', port, ca, agent: false, ...options }).end(body);
  const [response] = (await once(sent, 'response')) as [
    NodeJS.ReadableStream & { statusCode: number; socket: TLSSocket },
  ];
  const { serialNumber } = response.socket.getPeerCertificate();
  return { status: response.statusCode, body: await text(response), serial: serialNumber };
}

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
    const listener = await serve(async ({ url }) => {
      if (url === '/broken') throw new Error('a secret');
      return { status: 200, body: 'well\n' };
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
    const listener = await serve(async () => ({ status: 200, body: '' }), 'required');
    await expect(get(listener)).rejects.toThrow(/ECONNRESET|certificate required|socket hang up/);
    expect((await get(listener, { cert: client.certificate, key: client.key })).status).toBe(200);
  });

  test('reads bodies up to a size', async () => {
    await write(pairs[0]);
    const listener = await serve(async (incoming) => {
      const body = await readBody(incoming, 4).catch(() => undefined);
      return { status: body === undefined ? 413 : 200, body: body?.toString() ?? '' };
    });
    expect(await get(listener, { method: 'POST' }, 'four')).toMatchObject({ status: 200, body: 'four' });
    expect(await get(listener, { method: 'POST' }, 'three')).toMatchObject({ status: 413 });
  });

  test('stops with silent and idle connections open', async () => {
    await write(pairs[0]);
    const listener = await serve(async () => ({ status: 200, body: '' }));
    const silent = connect(listener.port, '127.0.0.1');
    await once(silent, 'connect');
    await get(listener);
    await listener.stop();
    silent.destroy();
  });
});

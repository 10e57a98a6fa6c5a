import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type TLSSocket, connect } from 'node:tls';
import { managerAdmission } from '@selvedge/api';
import {
  type MetricsRegistry,
  type Service,
  createMetricsRegistry,
  silentLogger,
  systemClock,
} from '@selvedge/kit';
import { type ManualClock, createManualClock } from '@selvedge/kit/testing';
import { createIndexedStore } from '@selvedge/kube';
import type { Node } from '@selvedge/kube/types';
import type { EdgeUnitObject } from '@selvedge/unit-controller';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Authority, newAuthority, openAuthority } from '../../../../test/bed/pki/certificate.ts';
import { waitFor } from '../../../../test/bed/wait.ts';
import type { EdgeNodeObject } from '../edge-nodes/index.ts';
import { type SmallServer, createPemFiles, createSmallServer } from '../serving/index.ts';
import { apiServerLimits, strangerLimits } from './connection-limits.ts';

import { requestedNames } from './testing.ts';
import { createAdmissionWebhook } from './webhook.ts';

const { signal } = new AbortController();
const largest = 6 * 1024 * 1024;

let authority: Authority;
let folder: string;
let metrics: MetricsRegistry;
let server: SmallServer;
/** Of the webhook alone. */
let clock: ManualClock;
const started: Service[] = [];
const sockets: TLSSocket[] = [];

beforeEach(async () => {
  clock = createManualClock();
  authority = await openAuthority(await newAuthority('test', Date.now()), systemClock);
  folder = await mkdtemp(join(tmpdir(), 'selvedge-webhook-'));
  const { certificate, key } = await authority.issue({ commonName: 'w', addresses: ['127.0.0.1'] });
  await writeFile(join(folder, 'crt'), certificate);
  await writeFile(join(folder, 'key'), key);
});
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const service of started.splice(0).toReversed()) await service.stop();
  await rm(folder, { recursive: true });
});

interface Wanted {
  readonly clientCertificate: 'optional' | 'required';
  readonly limits?: typeof strangerLimits;
}

/** Without a client CA unless certificates are required. */
async function serve(
  { clientCertificate, limits = {} }: Wanted = { clientCertificate: 'optional' },
): Promise<void> {
  const deps = { clock: systemClock, random: () => 0.5, log: silentLogger };
  const isRequired = clientCertificate === 'required';
  await writeFile(join(folder, 'ca'), authority.keyPair.certificate);
  const files = { certificateFile: join(folder, 'crt'), keyFile: join(folder, 'key') };
  const pem = createPemFiles(isRequired ? { ...files, clientCaFile: join(folder, 'ca') } : files, deps);
  metrics = createMetricsRegistry();
  const isBanned = (node: string): boolean => node === 'bad';
  const handler = createAdmissionWebhook({
    ...deps,
    clock,
    metrics,
    isBanned,
    namesIn: () => requestedNames({}),
    edgeNodes: createIndexedStore<EdgeNodeObject>(),
    edgeUnits: createIndexedStore<EdgeUnitObject>(),
    nodes: createIndexedStore<Node>(),
  });
  const listen = { host: '127.0.0.1', port: 0 };
  const names = { name: 'webhook', subsystem: 'admission' };
  server = createSmallServer(
    {
      ...names,
      listen,
      clientCertificate,
      limits: { ...(isRequired ? apiServerLimits : strangerLimits), ...limits },
    },
    { ...deps, pem, metrics, handler },
  );
  for (const service of [pem, server]) {
    started.push(service);
    await service.start(signal);
  }
}

const review = (username: string): string =>
  JSON.stringify({
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    request: { uid: 'u', resource: { group: '', resource: 'pods' }, userInfo: { username }, object: null },
  });

interface Got {
  readonly status: number;
  readonly body: string;
}

async function ask(body: string, headers: Readonly<Record<string, string | number>> = {}): Promise<Got> {
  const ca = authority.keyPair.certificate;
  const at = {
    host: '127.0.0.1',
    port: server.port,
    path: managerAdmission.paths.ban,
    method: 'POST',
    agent: false,
  };
  const { certificate: cert, key } = authority.keyPair;
  const sent = request({ ...at, ca, cert, key, headers });
  sent.on('error', () => undefined);
  sent.end(body);
  const [response] = (await once(sent, 'response')) as [NodeJS.ReadableStream & { statusCode: number }];
  return { status: response.statusCode, body: await text(response) };
}

async function dial(): Promise<TLSSocket> {
  const { certificate: cert, key } = authority.keyPair;
  const socket = connect({ host: '127.0.0.1', port: server.port, ca: cert, cert, key });
  sockets.push(socket);
  socket.on('error', () => undefined);
  await new Promise((resolve) => socket.once('secureConnect', resolve).once('close', resolve));
  return socket;
}

const head = (length: number, more = ''): string =>
  `POST ${managerAdmission.paths.ban} HTTP/1.1\r\nhost: w\r\n${more}content-length: ${length}\r\n\r\n`;

/** For a machine with other things to do. */
const patient = { handshakeMs: 60_000, headersMs: 60_000, bodyMs: 60_000 };

test('answers reviews of who shows no certificate, where none is asked for', async () => {
  await serve();
  expect(await ask(review('system:node:bad'))).toMatchObject({
    status: 200,
    body: expect.stringContaining('is banned'),
  });
  expect((await ask(review('system:node:good'))).body).toContain('"allowed":true');
});

test('refuses what is announced as too large before it is sent', async () => {
  await serve();
  const socket = await dial();
  socket.write(head(largest + 1));
  expect(await text(socket)).toMatch(/^HTTP\/1.1 413 .*too large\n$/s);
});

test('lets one address fill no more than its share of the memory, and serves it again when it lets go', async () => {
  await serve();
  const holding = await dial();
  holding.write(head(largest));
  holding.write(Buffer.alloc(largest - 1, 0x20));
  await clock.asleep();
  const busy = ask(review('system:node:bad'));
  await clock.asleep(2);
  await clock.advance(2_000);
  expect(await busy).toEqual({ status: 503, body: 'busy\n' });
  const waiting = ask(review('system:node:bad'));
  await clock.asleep(2);
  holding.destroy();
  expect((await waiting).status).toBe(200);
});

test.each(['optional', 'required'] as const)(
  'denies each of 200 writes that come at once from one address; certificate %s',
  async (clientCertificate) => {
    await serve({ clientCertificate, limits: patient });
    const body = review('system:node:bad');
    const burst = await Promise.all(Array.from({ length: 200 }, dial));
    const answers = burst.map((socket) => text(socket));
    for (const socket of burst) socket.write(head(body.length, 'connection: close\r\n') + body);
    for (const answer of await Promise.all(answers)) expect(answer).toContain('is banned');
  },
  60_000,
);

test('denies writes that take more memory together than there is for their address', async () => {
  await serve({ clientCertificate: 'optional', limits: patient });
  const body = review('system:node:bad').padEnd(largest - 1);
  const answers = await Promise.all(Array.from({ length: 10 }, () => ask(body)));
  expect(answers.map(({ status }) => status)).toEqual(Array.from(answers, () => 200));
  for (const { body: said } of answers) expect(said).toContain('is banned');
});

test('breaks connections of an address beyond its share', async () => {
  const share = 32;
  await serve({ clientCertificate: 'optional', limits: { maxConnectionsFromLoopback: share } });
  const silent = await Promise.all(Array.from({ length: share + 3 }, dial));
  expect(silent.filter(({ destroyed }) => destroyed)).toHaveLength(3);
  expect(metrics.render()).toContain('selvedge_admission_refused_connections_total{reason="source"} 3');
});

test('gives the places of those who ask for nothing to those who come', async () => {
  await serve({ clientCertificate: 'optional', limits: { maxNewcomers: 4 } });
  const silent: TLSSocket[] = [];
  for (let i = 0; i < 4; i += 1) silent.push(await dial());
  expect((await ask(review('system:node:bad'))).status).toBe(200);
  const isGone = async (): Promise<true | undefined> => (silent[0]?.destroyed === true ? true : undefined);
  await waitFor({ what: 'the end of the eldest' }, systemClock, isGone);
  expect(silent.map(({ destroyed }) => destroyed)).toEqual([true, false, false, false]);
});

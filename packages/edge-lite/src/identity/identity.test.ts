import { X509Certificate, createPrivateKey } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { type Socket, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SelvedgeError, createMetricsRegistry } from '@selvedge/kit';
import { type ManualClock, createManualClock, recordingLogger, seededRandom } from '@selvedge/kit/testing';
import type { Node } from '@selvedge/kube/types';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type Identity, type IdentityDeps, type IdentityOptions, createIdentity } from './identity.ts';
import {
  type TestAuthority,
  TestCertificates,
  clusterInfoOf,
  createTestAuthority,
  serveOverTls,
} from './testing.ts';

const token = { id: 'abcdef', secret: '0123456789abcdef' };
const hourMs = 3_600_000;

let clock: ManualClock;
let folder = '';
let authority: TestAuthority;
let certificates: TestCertificates;
let server: Awaited<ReturnType<typeof serveOverTls>>;
let info: unknown;
const running: Identity[] = [];

beforeEach(async () => {
  clock = createManualClock();
  folder = await mkdtemp(join(tmpdir(), 'identity-'));
  authority = await createTestAuthority(clock);
  certificates = new TestCertificates(authority, clock);
  info = clusterInfoOf(authority.certificate, token);
  server = await serveOverTls(authority, () => info);
  await writeFile(join(folder, 'token'), `${token.id}.${token.secret}\n`);
});

afterEach(async () => {
  for (const identity of running.splice(0)) await identity.stop();
  expect(certificates.open).toBe(0);
  expect(clock.sleepers).toBe(0);
  await server[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

function create(
  options: Partial<IdentityOptions> = {},
  deps: Pick<IdentityDeps, 'openTcp'> = {},
): Identity & { readonly log: ReturnType<typeof recordingLogger> } {
  const log = recordingLogger();
  const identity = createIdentity(
    {
      nodeName: 'shop-7',
      urls: [server.url],
      caHash: authority.pin,
      tokenFile: join(folder, 'token'),
      clusterCaPath: join(folder, 'pki', 'ca.crt'),
      clientPemPath: join(folder, 'pki', 'client.pem'),
      pendingKeyPath: join(folder, 'pki', 'client-pending.key'),
      ...options,
    },
    {
      clock,
      random: seededRandom(7),
      log,
      metrics: createMetricsRegistry(),
      connect: certificates.connect,
      ...deps,
    },
  );
  running.push(identity);
  return Object.assign(identity, { log });
}

const signal = new AbortController().signal;
const currentOf = async (identity: Identity): Promise<string> =>
  (await identity.credentials(signal)).clientCertificate?.certificate ?? '';
const endOf = async (identity: Identity): Promise<number> =>
  new X509Certificate(await currentOf(identity)).validToDate.getTime();
/** Real time passes until the condition holds: for what waits for sockets and files, not for the clock. */
const eventually = (assertion: () => Promise<void> | void): Promise<void> => vi.waitFor(assertion, 60_000);
const readyNode = (status: string): Node => ({
  metadata: { name: 'shop-7' },
  status: { conditions: [{ type: 'Ready', status }] },
});

describe('joining', () => {
  test('a token becomes a certificate of the node, on disk in one file', async () => {
    const identity = create();
    await expect(identity.credentials(signal)).rejects.toMatchObject({ code: 'Unavailable' });
    await identity.start(signal);
    expect(new X509Certificate(await currentOf(identity)).subject).toBe(
      'O=system:nodes\nCN=system:node:shop-7',
    );
    expect(await readdir(join(folder, 'pki'))).toEqual(['ca.crt', 'client.pem']);
    expect(certificates.users).toEqual([
      `${token.id}.${token.secret}`,
      `${token.id}.${token.secret}`,
      'node',
    ]);
    const [request] = certificates.requests.values();
    expect(request?.spec).toMatchObject({
      signerName: 'kubernetes.io/kube-apiserver-client-kubelet',
      usages: ['digital signature', 'client auth'],
    });
  });

  test('the first question of all goes the way that it is told to', async () => {
    const asked: string[] = [];
    const openTcp = async (url: URL): Promise<Socket> => {
      asked.push(url.host);
      const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
      await once(socket, 'connect');
      return socket;
    };
    await create({ urls: ['https://api.invalid:6443'] }, { openTcp }).start(signal);
    expect(asked).toEqual(['api.invalid:6443']);
  });

  test('a restart needs neither token nor network', async () => {
    await create().start(signal);
    await rm(join(folder, 'token'));
    const again = create({ urls: ['https://127.0.0.1:1'] });
    await again.start(signal);
    expect(await currentOf(again)).toContain('BEGIN CERTIFICATE');
    expect(certificates.requests.size).toBe(1);
  });

  test('the certificate of a kubelet is taken as it is, with its kind of key', async () => {
    await create().start(signal);
    const path = join(folder, 'pki', 'client.pem');
    const pem = await readFile(path, 'utf8');
    const key = createPrivateKey(pem.slice(pem.indexOf('-----BEGIN PRIVATE')));
    const sec1 = key.export({ type: 'sec1', format: 'pem' }).toString();
    expect(sec1).toContain('BEGIN EC PRIVATE KEY');
    await writeFile(path, pem.slice(0, pem.indexOf('-----BEGIN PRIVATE')) + sec1);
    const again = create();
    await again.start(signal);
    expect((await again.credentials(signal)).clientCertificate?.privateKey).toBe(sec1);
  });

  test.each([
    [
      'another secret',
      () => writeFile(join(folder, 'token'), 'abcdef.ffffffffffffffff'),
      {},
      'is not signed by the secret',
    ],
    ['another CA pinned', () => undefined, { caHash: `sha256:${'0'.repeat(64)}` }, 'is not the pinned one'],
    ['no token file', () => rm(join(folder, 'token')), {}, 'cannot read the bootstrap token'],
    ['no token configured', () => undefined, { tokenFile: undefined }, 'names no server.tokenFile'],
  ])('%s is refused at once', async (_case, prepare, options, message) => {
    await prepare();
    await expect(create(options).start(signal)).rejects.toMatchObject({
      code: 'Unauthenticated',
      message: expect.stringContaining(message),
      hint: expect.any(String),
    });
    expect(certificates.requests.size).toBe(0);
  });

  test('a token that nobody signs is waited for, then refused', async () => {
    info = clusterInfoOf(authority.certificate, { ...token, id: 'zzzzzz' });
    const started = create().start(signal);
    started.catch(() => undefined);
    for (let seconds = 0; seconds < 31; seconds += 1) {
      await clock.asleep();
      await eventually(() => expect(clock.sleepers).toBe(1));
      await clock.advance(1_000);
    }
    await expect(started).rejects.toMatchObject({
      message: 'the cluster does not know bootstrap token abcdef',
    });
  });

  test('a new token is used as soon as it is signed', async () => {
    const signed = info;
    info = clusterInfoOf(authority.certificate, { ...token, id: 'zzzzzz' });
    const started = create().start(signal);
    await clock.asleep();
    info = signed;
    await clock.advance(1_000);
    await started;
  });

  test.each([
    ['Unauthenticated', { status: 401 }, 'the bootstrap token is not accepted'],
    ['Forbidden', { status: 403 }, 'the bootstrap token may not ask for a certificate'],
  ] as const)('%s from the API server is explained', async (code, details, message) => {
    certificates.failures.push(new SelvedgeError('no', { code, details }));
    await expect(create().start(signal)).rejects.toMatchObject({ code, message, hint: expect.any(String) });
  });

  test('a denied request is refused, and its key is given up', async () => {
    certificates.policy = 'deny';
    await expect(create().start(signal)).rejects.toMatchObject({
      code: 'Forbidden',
      message: expect.stringContaining('Policy: not here'),
    });
    expect(await readdir(join(folder, 'pki'))).toEqual([]);
  });

  test('a name that is at work already is refused, and nothing is kept of the certificate', async () => {
    certificates.node = readyNode('True');
    await expect(create().start(signal)).rejects.toMatchObject({
      code: 'AlreadyExists',
      hint: expect.stringContaining('kubectl delete node shop-7'),
    });
    expect(await readdir(join(folder, 'pki'))).toEqual(['client-pending.key']);
    certificates.node = readyNode('Unknown');
    await create().start(signal);
  });

  test('a server that cannot be reached is tried again', async () => {
    certificates.failures.push(new SelvedgeError('cut', { code: 'Unavailable' }));
    const started = create().start(signal);
    await eventually(() => expect(certificates.failures).toHaveLength(0));
    await clock.asleep();
    await clock.advance(1_000);
    await started;
  });

  test('a crash while the request waits finds the same request again', async () => {
    certificates.policy = 'wait';
    const scope = new AbortController();
    const first = create();
    const started = first.start(scope.signal);
    await eventually(() => expect(certificates.requests.size).toBe(1));
    await clock.asleep();
    scope.abort(new Error('killed'));
    await expect(started).rejects.toThrow('killed');
    await certificates.issueAll();
    await create().start(signal);
    expect(certificates.requests.size).toBe(1);
  });

  test('a crash between CA and certificate joins again', async () => {
    await create().start(signal);
    await rm(join(folder, 'pki', 'client.pem'));
    await create().start(signal);
    expect(certificates.requests.size).toBe(2);
  });
});

describe('what is on disk', () => {
  test('of another node, of another CA, or broken is refused with what to do', async () => {
    await create().start(signal);
    const refused = { code: 'Unauthenticated', hint: expect.any(String) };
    await expect(create({ nodeName: 'shop-8' }).start(signal)).rejects.toMatchObject(refused);
    await expect(create({ caHash: `sha256:${'0'.repeat(64)}` }).start(signal)).rejects.toMatchObject(refused);
    const path = join(folder, 'pki', 'client.pem');
    await writeFile(path, (await readFile(path, 'utf8')).replace(/-----BEGIN PRIVATE[\s\S]*/, ''));
    await expect(create().start(signal)).rejects.toMatchObject(refused);
  });
});

describe('rotation', () => {
  test('the certificate is replaced between 70 and 90 % of its life, with itself as the credential', async () => {
    const identity = create();
    await identity.start(signal);
    const before = await currentOf(identity);
    const told: string[] = [];
    using changes = identity.onChange(() => {
      void currentOf(identity).then((certificate) => told.push(certificate));
    });
    certificates.users.length = 0;
    await clock.advance(0.69 * hourMs);
    expect(await currentOf(identity)).toBe(before);
    await clock.advance(0.22 * hourMs);
    await eventually(async () => expect(await currentOf(identity)).not.toBe(before));
    await eventually(async () => expect(told).toEqual([await currentOf(identity)]));
    expect(new Set(certificates.users)).toEqual(new Set(['node']));
    expect(await readFile(join(folder, 'pki', 'client.pem'), 'utf8')).toContain(await currentOf(identity));
    expect(await readdir(join(folder, 'pki'))).toEqual(['ca.crt', 'client.pem']);
  });

  test('a rotation that fails leaves the old pair in use and is tried again', async () => {
    const identity = create();
    await identity.start(signal);
    const before = await currentOf(identity);
    certificates.failures.push(new SelvedgeError('cut', { code: 'Unavailable' }));
    await clock.advance(0.91 * hourMs);
    await eventually(() => expect(identity.log.lines.at(-1)?.text).toBe('certificate not renewed'));
    expect(await currentOf(identity)).toBe(before);
    await eventually(() => expect(clock.sleepers).toBe(1));
    await clock.advance(5_000);
    await eventually(async () => expect(await currentOf(identity)).not.toBe(before));
  });

  test('an expired certificate does not keep the node from starting, and a token renews it', async () => {
    await create().start(signal);
    await running.splice(0)[0]?.stop();
    await clock.advance(2 * hourMs);
    await rm(join(folder, 'token'));
    certificates.node = readyNode('True');
    const identity = create();
    await identity.start(signal);
    await eventually(() => {
      const line = identity.log.lines.findLast(({ text }) => text === 'certificate not renewed');
      expect(line).toMatchObject({ level: 'error', fields: { expired: true } });
    });
    await writeFile(join(folder, 'token'), `${token.id}.${token.secret}`);
    await eventually(() => expect(clock.sleepers).toBe(1));
    await clock.advance(5_000);
    await eventually(async () => expect(await endOf(identity)).toBeGreaterThan(clock.now()));
  });
});

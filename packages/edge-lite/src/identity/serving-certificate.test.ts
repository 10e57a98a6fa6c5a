import { X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SelvedgeError, createListeners, createMetricsRegistry, silentLogger } from '@selvedge/kit';
import { type ManualClock, createManualClock, recordingLogger, seededRandom } from '@selvedge/kit/testing';
import { staticCredentials } from '@selvedge/kube';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type ServingCertificate, createServingCertificate } from './serving-certificate.ts';
import { TestCertificates, createTestAuthority } from './testing.ts';

const hourMs = 3_600_000;
const signal = new AbortController().signal;
const credentials = staticCredentials({ bearerToken: 'node' });

let clock: ManualClock;
let folder = '';
let certificates: TestCertificates;
let names: readonly string[];
let changes = createListeners<void>(silentLogger);
const log = recordingLogger();
const running: ServingCertificate[] = [];

beforeEach(async () => {
  clock = createManualClock();
  folder = await mkdtemp(join(tmpdir(), 'serving-'));
  certificates = new TestCertificates(await createTestAuthority(clock), clock);
  names = ['shop-7', '192.0.2.7'];
  changes = createListeners<void>(silentLogger);
  log.lines.length = 0;
});

afterEach(async () => {
  for (const one of running.splice(0)) await one.stop();
  expect(certificates.open).toBe(0);
  expect(clock.sleepers).toBe(0);
  await rm(folder, { recursive: true });
});

const file = (): string => join(folder, 'pki', 'serving.pem');

async function start(): Promise<ServingCertificate> {
  const certificate = createServingCertificate(
    {
      nodeName: 'shop-7',
      servingPemPath: file(),
      pendingServingKeyPath: join(folder, 'pki', 'serving-pending.key'),
    },
    {
      connect: () => certificates.connect(credentials),
      names: () => names,
      onNames: changes.add,
      clock,
      random: seededRandom(7),
      log,
      metrics: createMetricsRegistry(),
    },
  );
  running.push(certificate);
  await certificate.start(signal);
  return certificate;
}

/** Real time passes until the condition holds: for what waits for files and keys, not for the clock. */
const eventually = (assertion: () => Promise<void> | void): Promise<void> => vi.waitFor(assertion, 60_000);

const leafOf = ({ serving }: ServingCertificate): X509Certificate =>
  new X509Certificate(serving?.certificate ?? '');

async function issued(certificate: ServingCertificate): Promise<X509Certificate> {
  await eventually(() => expect(certificate.serving).toBeDefined());
  return leafOf(certificate);
}

test('is asked for as a kubelet asks, for the names that the Node shows', async () => {
  const certificate = await start();
  const told = vi.fn<() => void>();
  certificate.onChange(told);
  const leaf = await issued(certificate);
  const [request] = certificates.requests.values();
  expect(request?.spec).toMatchObject({
    signerName: 'kubernetes.io/kubelet-serving',
    usages: ['digital signature', 'server auth'],
  });
  expect(leaf.subject).toBe('O=system:nodes\nCN=system:node:shop-7');
  expect(leaf.subjectAltName).toBe('IP Address:192.0.2.7, DNS:shop-7');
  expect(told).toHaveBeenCalledTimes(1);
});

test('is not asked for before the Node has addresses', async () => {
  names = [];
  const certificate = await start();
  await clock.asleep();
  expect(certificates.requests.size).toBe(0);
  names = ['shop-7'];
  changes.tell();
  await issued(certificate);
});

test('is waited for until somebody approves it', async () => {
  certificates.policy = 'wait';
  const certificate = await start();
  await eventually(() => expect(certificates.requests.size).toBe(1));
  for (let minute = 0; minute < 60; minute += 1) await clock.advance(60_000);
  expect(certificate.serving).toBeUndefined();
  expect(certificates.requests.size).toBe(1);
  // A look in two minutes.
  expect(certificates.users.length).toBeLessThan(45);
  await certificates.issueAll();
  await clock.advance(120_000);
  await issued(certificate);
});

test('outlives a restart, without the cloud', async () => {
  const first = await start();
  const { serialNumber, fingerprint256 } = await issued(first);
  await first.stop();
  certificates.failures.push(new SelvedgeError('away', { code: 'Unavailable' }));
  const second = await start();
  expect(leafOf(second)).toMatchObject({ serialNumber, fingerprint256 });
  expect(certificates.requests.size).toBe(1);
});

test('is asked for anew if what is on disk cannot be used', async () => {
  const first = await start();
  await issued(first);
  await first.stop();
  await writeFile(file(), (await readFile(file(), 'utf8')).slice(0, 200));
  const second = await start();
  await issued(second);
  expect(certificates.requests.size).toBe(2);
  expect(log.lines).toContainEqual(
    expect.objectContaining({ level: 'warn', text: 'the serving certificate on disk cannot be used' }),
  );
});

test('is renewed within 70 to 90 percent of its life, and serves meanwhile', async () => {
  const certificate = await start();
  const { fingerprint256 } = await issued(certificate);
  await clock.asleep();
  await clock.advance(0.69 * hourMs);
  expect(certificates.requests.size).toBe(1);
  certificates.policy = 'wait';
  await clock.advance(0.22 * hourMs);
  await eventually(() => expect(certificates.requests.size).toBe(2));
  expect(leafOf(certificate).fingerprint256).toBe(fingerprint256);
  await certificates.issueAll();
  await clock.advance(120_000);
  await eventually(() => expect(leafOf(certificate).fingerprint256).not.toBe(fingerprint256));
});

test('follows the addresses of the Node, also while a request for others waits', async () => {
  certificates.policy = 'wait';
  const certificate = await start();
  await eventually(() => expect(certificates.requests.size).toBe(1));
  certificates.policy = 'issue';
  names = ['shop-7', '192.0.2.8'];
  changes.tell();
  expect((await issued(certificate)).subjectAltName).toContain('192.0.2.8');
  names = ['shop-7'];
  changes.tell();
  await clock.advance(0.1 * hourMs);
  expect(leafOf(certificate).subjectAltName).toContain('192.0.2.8');
  names = ['shop-7', '192.0.2.9'];
  changes.tell();
  await eventually(() => expect(leafOf(certificate).subjectAltName).toContain('192.0.2.9'));
});

test('is asked for again, less and less often, after it was denied', async () => {
  certificates.policy = 'deny';
  const certificate = await start();
  await eventually(() => expect(certificates.requests.size).toBe(1));
  await clock.asleep();
  await clock.advance(300_000);
  await eventually(() => expect(certificates.requests.size).toBeGreaterThan(1));
  expect(log.lines).toContainEqual(
    expect.objectContaining({ level: 'error', text: 'no serving certificate was issued' }),
  );
  certificates.policy = 'issue';
  for (let tries = 0; tries < 10 && certificate.serving === undefined; tries += 1) {
    await clock.asleep();
    await clock.advance(300_000);
  }
  await issued(certificate);
});

import { X509Certificate } from 'node:crypto';
import { mkdir, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createMetricsRegistry } from '@selvedge/kit';
import { type ManualClock, createManualClock, recordingLogger } from '@selvedge/kit/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type HubPki, createHubPki } from './pki.ts';

const dayMs = 86_400_000;
const never = new AbortController().signal;
const certificates = (pem: string): readonly X509Certificate[] =>
  (pem.match(/-----BEGIN[\s\S]+?-----END CERTIFICATE-----/g) ?? []).map((one) => new X509Certificate(one));

let folder: string;
let running: HubPki[];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hub-pki-'));
  running = [];
});
afterEach(async () => {
  for (const pki of running) await pki.stop();
  await rm(folder, { recursive: true });
});

const authorityPath = (): string => join(folder, 'hub-ca.pem');
const bundlePath = (): string => join(folder, 'hub-ca.crt');

async function started(clock: ManualClock, log = recordingLogger()): Promise<HubPki> {
  const fixed = { nodeName: 'shop-7', clusterDomain: 'cluster.local', linkLocalAddress: '169.254.77.1' };
  const files = { authorityPath: authorityPath(), bundlePath: bundlePath() };
  const pki = createHubPki({ ...fixed, ...files }, { clock, log, metrics: createMetricsRegistry() });
  running.push(pki);
  await pki.start(never);
  return pki;
}

const leafOf = (pki: HubPki): X509Certificate => new X509Certificate(pki.serving?.certificate ?? '');

/** A clock whose wall time can be set. */
function settableClock(startMs: number): ManualClock & { passDays(days: number): Promise<void> } {
  const clock = createManualClock(startMs);
  let ahead = 0;
  return {
    ...clock,
    now: () => clock.now() + ahead,
    get sleepers() {
      return clock.sleepers;
    },
    async passDays(days) {
      await clock.asleep();
      ahead += days * dayMs;
      await clock.advance(60_000);
      await clock.asleep();
    },
  };
}

describe('the certificate of the hub', () => {
  it('serves under the names that clients of this node use, by an authority in the published bundle', async () => {
    const pki = await started(createManualClock());
    const leaf = leafOf(pki);
    for (const name of [
      'kubernetes',
      'kubernetes.default',
      'kubernetes.default.svc',
      'kubernetes.default.svc.cluster.local',
      'localhost',
      'shop-7',
    ]) {
      expect(leaf.checkHost(name)).toBe(name);
    }
    for (const ip of ['127.0.0.1', '::1', '169.254.77.1']) expect(leaf.checkIP(ip)).toBeDefined();
    const [ca, ...others] = certificates(pki.caBundle);
    expect(others).toEqual([]);
    expect(ca !== undefined && leaf.verify(ca.publicKey)).toBe(true);
    expect(await readFile(bundlePath(), 'utf8')).toBe(pki.caBundle);
  });

  it('is issued anew when the in-cluster addresses change, and not when they stay', async () => {
    const clock = createManualClock();
    const pki = await started(clock);
    let told = 0;
    using listening = pki.onChange(() => (told += 1));
    pki.setClusterIPs(['10.96.0.1', 'fd00::1']);
    await clock.advance(0);
    const leaf = leafOf(pki);
    expect(leaf.checkIP('10.96.0.1')).toBeDefined();
    expect(leaf.checkIP('fd00::1')).toBeDefined();
    pki.setClusterIPs(['fd00::1', '10.96.0.1']);
    await clock.advance(0);
    expect(told).toBe(1);
    expect(leafOf(pki).serialNumber).toBe(leaf.serialNumber);
  });

  it('lives 90 days and is replaced after 60', async () => {
    const clock = settableClock(Date.UTC(2026, 0, 1));
    const pki = await started(clock);
    const first = leafOf(pki);
    expect(first.validToDate.getTime() - clock.now()).toBe(90 * dayMs);
    await clock.passDays(59);
    expect(leafOf(pki).serialNumber).toBe(first.serialNumber);
    await clock.passDays(2);
    expect(leafOf(pki).serialNumber).not.toBe(first.serialNumber);
    expect(certificates(pki.caBundle)).toHaveLength(1);
  });

  it('holds whether or not the clock was ever set', async () => {
    const unset = await started(createManualClock(0));
    const bundle = unset.caBundle;
    expect(leafOf(unset).validFromDate.getTime()).toBe(0);
    const set = await started(createManualClock(Date.UTC(2026, 10, 21)));
    expect(set.caBundle).toBe(bundle);
    expect(leafOf(set).validToDate.getTime()).toBeGreaterThan(Date.UTC(2026, 10, 21));
  });

  it('follows a clock that jumps ahead', async () => {
    const clock = settableClock(Date.UTC(2030, 0, 1));
    const pki = await started(clock);
    await clock.passDays(365);
    expect(leafOf(pki).validToDate.getTime()).toBeGreaterThan(clock.now());
  });
});

describe('the authority of the hub', () => {
  it('is the same after a restart, in a file that only its owner reads', async () => {
    const first = await started(createManualClock());
    const second = await started(createManualClock());
    expect(second.caBundle).toBe(first.caBundle);
    expect(second.signer).toBe(first.signer);
    expect((await stat(authorityPath())).mode & 0o777).toBe(0o600);
    expect(await readFile(bundlePath(), 'utf8')).not.toContain('PRIVATE');
  });

  it('is followed by another that is published long before it signs, so that no client is left behind', async () => {
    const clock = createManualClock();
    const madeMs = clock.now();
    const old = (await started(clock)).caBundle;
    const near = settableClock(madeMs + 3_000 * dayMs);
    const overlap = await started(near);
    const [successor, predecessor, ...others] = certificates(overlap.caBundle);
    expect(others).toEqual([]);
    expect(predecessor?.toString()).toBe(certificates(old)[0]?.toString());
    expect(predecessor !== undefined && leafOf(overlap).verify(predecessor.publicKey)).toBe(true);
    expect(overlap.signer).toBe(old);
    await near.passDays(600);
    expect(successor !== undefined && leafOf(overlap).verify(successor.publicKey)).toBe(true);
    expect(certificates(overlap.caBundle)).toHaveLength(2);
    expect(overlap.signer).toBe(overlap.authorities[0]);
    await near.passDays(100);
    expect(certificates(overlap.caBundle).map(String)).toEqual([String(successor)]);
  });

  it('outlives a clock that jumps past its end and comes back', async () => {
    const clock = settableClock(Date.UTC(2026, 5, 1));
    const pki = await started(clock);
    const [first] = pki.authorities;
    await clock.passDays(20 * 365);
    await clock.passDays(1);
    expect(pki.authorities).toHaveLength(2);
    expect(leafOf(pki).validToDate.getTime()).toBeGreaterThan(clock.now());
    await clock.passDays(-20 * 365);
    expect(pki.authorities).toHaveLength(2);
    expect(pki.signer).toBe(first);
    expect(leafOf(pki).verify(new X509Certificate(first ?? '').publicKey)).toBe(true);
    for (let years = 40; years <= 200; years += 40) await clock.passDays(years * 365);
    expect(pki.authorities).toContain(first);
    expect(pki.authorities).toHaveLength(4);
  });

  it('serves on a disk that takes nothing, and publishes when it takes something again', async () => {
    const first = await started(createManualClock());
    await rm(bundlePath());
    await mkdir(join(bundlePath(), 'in-the-way'), { recursive: true });
    const log = recordingLogger();
    const clock = createManualClock();
    const second = await started(clock, log);
    expect(second.caBundle).toBe(first.caBundle);
    expect(second.serving).toBeDefined();
    expect(log.lines.filter(({ level }) => level === 'error')).toHaveLength(1);
    await rm(bundlePath(), { recursive: true });
    await clock.advance(60_000);
    await expect.poll(() => readFile(bundlePath(), 'utf8')).toBe(first.caBundle);
  });

  it('leaves a bundle alone that says the same', async () => {
    await started(createManualClock());
    const before = await stat(bundlePath());
    await started(createManualClock());
    expect((await stat(bundlePath())).ino).toBe(before.ino);
  });

  it('is set aside and replaced when its file is damaged', async () => {
    const first = await started(createManualClock());
    await writeFile(authorityPath(), (await readFile(authorityPath(), 'utf8')).slice(0, 700));
    const log = recordingLogger();
    const second = await started(createManualClock(), log);
    expect(second.caBundle).not.toBe(first.caBundle);
    expect(await readdir(folder)).toContain('hub-ca.pem.damaged');
    expect(log.lines.some(({ level }) => level === 'error')).toBe(true);
  });
});

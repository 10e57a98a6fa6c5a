import { appendFile, mkdtemp, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

import { SelvedgeError, createMetricsRegistry } from '@selvedge/kit';
import { type ManualClock, createManualClock, recordingLogger } from '@selvedge/kit/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import type { ContainerRecord, ContainerState, RuntimeHealth } from '../../runtime/index.ts';
import { createLogRotator } from './rotator.ts';

const up: RuntimeHealth = {
  kind: 'up',
  version: { name: 'containerd', version: '1.6' },
  runtime: { ready: true, reason: '', message: '' },
  network: { ready: true, reason: '', message: '' },
};

const container = (logPath: string, state: ContainerState): ContainerRecord => ({
  id: 'id-main',
  sandboxId: 'sandbox',
  name: 'main',
  createdAtMs: 0,
  state,
  image: '',
  imageRef: '',
  imageId: '',
  hash: '',
  restartCount: 0,
  logPath,
  user: undefined,
  graceSeconds: undefined,
});

describe('log rotation', () => {
  let folder: string;
  let path: string;
  let clock: ManualClock;
  let health: RuntimeHealth;
  let state: ContainerState;
  let reopen: () => Promise<void>;
  let looks: number;
  const log = recordingLogger();
  let registry = createMetricsRegistry();
  const metrics = (): string => registry.render();
  const services: { stop(): Promise<void> }[] = [];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'log-rotation-'));
    path = join(folder, '0.log');
    clock = createManualClock();
    health = up;
    state = { kind: 'running', startedAtMs: 0 };
    reopen = () => appendFile(path, '');
    looks = 0;
    registry = createMetricsRegistry();
  });
  afterEach(async () => {
    for (const service of services.splice(0)) await service.stop();
    await rm(folder, { recursive: true });
  });

  const start = async (): Promise<void> => {
    const runtime = {
      get health() {
        return health;
      },
      reopenLog: () => reopen(),
      observeAll: async () => {
        looks += 1;
        const containers = [container(path, state)];
        return [{ uid: 'u', namespace: 'n', name: 'p', sandboxes: [], containers }];
      },
    };
    const deps = { runtime, clock, random: () => 0.5, log, metrics: registry };
    const service = createLogRotator({ maxBytes: 10, maxFiles: 3, checkMs: 1000 }, deps);
    services.push(service);
    await service.start(new AbortController().signal);
    await clock.asleep();
  };
  /** One check, to its end. */
  const check = async (): Promise<void> => {
    await clock.advance(1000);
    await clock.asleep();
  };
  const files = async (): Promise<readonly string[]> => (await readdir(folder)).toSorted();

  it('leaves small logs alone', async () => {
    await writeFile(path, '123456789');
    await start();
    await check();
    expect(await files()).toEqual(['0.log']);
  });

  it('renames a log that is full, compresses the one before and removes the oldest', async () => {
    await start();
    for (const text of ['first full log', 'second full log', 'third full log']) {
      await writeFile(path, text);
      await check();
    }
    const [live, before, last, ...rest] = await files();
    expect([live, rest]).toEqual(['0.log', []]);
    expect(await readFile(path, 'utf8')).toBe('');
    expect(before).toMatch(/^0\.log\.20260101-0000\d\d\.gz$/);
    expect(gunzipSync(await readFile(join(folder, before ?? ''))).toString()).toBe('second full log');
    expect(last).toMatch(/^0\.log\.20260101-0000\d\d$/);
    expect(await readFile(join(folder, last ?? ''), 'utf8')).toBe('third full log');
    expect(metrics()).toContain('selvedge_pods_log_rotations_total{outcome="done"} 3');
  });

  it('gives the log its name back when the runtime does not reopen it, and tries again', async () => {
    await writeFile(path, 'a full log');
    const works = reopen;
    reopen = () => Promise.reject(new SelvedgeError('no', { code: 'Unavailable' }));
    await start();
    await check();
    expect(await files()).toEqual(['0.log']);
    expect(await readFile(path, 'utf8')).toBe('a full log');
    expect(metrics()).toContain('selvedge_pods_log_rotations_total{outcome="failed"} 1');
    reopen = works;
    await check();
    expect(await files()).toHaveLength(2);
  });

  it('overwrites nothing when the runtime reopened the log and its answer was lost', async () => {
    await writeFile(path, 'a full log');
    reopen = async () => {
      await writeFile(path, 'new');
      throw new SelvedgeError('late', { code: 'DeadlineExceeded' });
    };
    await start();
    await check();
    expect(await readFile(path, 'utf8')).toBe('new');
    expect(await files()).toHaveLength(2);
  });

  it('finishes what a crash between rename and reopening left', async () => {
    await writeFile(path, 'a full log');
    await rename(path, `${path}.20251231-235959`);
    await start();
    await check();
    expect(await files()).toEqual(['0.log', '0.log.20251231-235959']);
  });

  it('does not touch the log of a container that has ended', async () => {
    await writeFile(path, 'a full log');
    const times = { startedAtMs: 0, finishedAtMs: 1 };
    state = { kind: 'exited', ...times, exitCode: 0, reason: 'Completed', message: '' };
    await start();
    await check();
    expect(looks).toBe(1);
    expect(await files()).toEqual(['0.log']);
  });

  it('asks a runtime that does not answer for nothing', async () => {
    health = { kind: 'down', sinceMs: 0, error: 'gone' };
    await start();
    await check();
    expect(looks).toBe(0);
  });
});

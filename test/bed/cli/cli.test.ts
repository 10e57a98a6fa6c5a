import { SelvedgeError, systemClock } from '@selvedge/kit';
import { createSetup, silentProgress } from '@selvedge/hack/setup';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { BedStatus } from '../status.ts';
import { exitCodeOf } from './exit-codes.ts';
import { measure, share, toShape } from './fault-commands.ts';
import { renderStatus } from './print-status.ts';
import { runBedCommand } from './program.ts';

describe('options of shape', () => {
  it.each([
    ['512kbit', 512],
    ['10Mbit', 10_000],
    ['1.5M', 1_500],
  ])('read the rate %s', (text, kilobits) => {
    expect(measure('rate')(text)).toBe(kilobits);
  });

  it.each([
    ['150ms', 150],
    ['1.5s', 1_500],
    ['20', 20],
    ['2m', 120_000],
  ])('read the time %s', (text, ms) => {
    expect(measure('time')(text)).toBe(ms);
  });

  it('read shares in both ways', () => {
    expect([share('2%'), share('0.02')]).toEqual([0.02, 0.02]);
  });

  it.each(['fast', '10parsec', '-1', ''])('refuse %j', (text) => {
    expect(() => measure('rate')(text)).toThrow('write it as');
  });

  it('set only what was given', () => {
    expect(toShape({ rate: 5, latency: 10 })).toEqual({ kilobitsPerSecond: 5, latencyMs: 10 });
  });
});

describe('exit codes', () => {
  it.each([
    ['Invalid', 2],
    ['NotFound', 3],
    ['DeadlineExceeded', 4],
    ['Internal', 1],
  ] as const)('tell %s', (code, expected) => {
    expect(exitCodeOf(new SelvedgeError('x', { code }))).toBe(expected);
  });
});

it('a status shows what is stopped, off and wrong', () => {
  const node = {
    name: 'n',
    site: 's',
    host: 11,
    kind: 'light',
    agent: 'stock',
    containerd: '1.6',
    kubeProxy: true,
    dns: false,
    labels: {},
    powered: false,
    address: '192.168.50.11',
    ready: 'True',
  } as const;
  const status: BedStatus = {
    name: 'bed',
    server: 'https://10.60.3.1:6443',
    kubeconfig: '/k',
    kubernetes: '1.36',
    network: '10.60.3.0/24',
    processes: [
      { name: 'etcd', pid: 1, running: true },
      { name: 'coredns', pid: 2, running: false },
    ],
    sites: [{ name: 's', lan: '192.168.50.0/24', address: '10.60.3.11', faults: {}, wan: 'cut (refused)' }],
    nodes: [node],
  };
  const text = renderStatus(status);
  expect(text).toContain('1 running, stopped: coredns');
  expect(text).toMatch(/^s {5}192\.168\.50\.0\/24 {2}10\.60\.3\.11 {2}cut \(refused\)$/m);
  expect(text).toMatch(/^n .* off$/m);
});

describe('the command line', () => {
  let root: string;
  const printed: string[] = [];
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'beds-'));
  });
  afterEach(async () => {
    vi.restoreAllMocks();
    await rm(root, { recursive: true });
  });

  const run = (...args: string[]): Promise<number> =>
    runBedCommand(args, {
      deps: {
        clock: systemClock,
        setup: createSetup({ env: { XDG_CACHE_HOME: root } }, { progress: silentProgress }),
        root,
        edgeLite: ['node'],
        cloudManager: ['node'],
      },
      terminal: {
        print: (line) => printed.push(line),
        confirm: async () => false,
        handOver: async () => 0,
      },
      signal: new AbortController().signal,
      shell: '/bin/sh',
    });

  it.each([
    [['status'], 3, 'there is no bed bed (make it with: hack/bed up)'],
    [['--bed', 'Nope', 'status'], 2, 'cannot name a bed'],
    [['shape', 'site-1', '--rate', 'fast'], 2, 'write it as 512kbit'],
    [['fly'], 2, 'unknown command'],
  ])('%j ends with %i and says why', async (args, code, why) => {
    const said: string[] = [];
    vi.spyOn(process.stderr, 'write').mockImplementation((text) => said.push(String(text)) > 0);
    expect(await run(...args)).toBe(code);
    expect(said.join('')).toContain(why);
  });

  it('removes nothing when the person says no', async () => {
    expect(await run('down')).toBe(0);
  });

  it('lists no beds in silence', async () => {
    expect(await run('list')).toBe(0);
    expect(printed).toEqual([]);
  });
});

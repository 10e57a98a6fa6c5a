import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { Bed } from '@selvedge/bed';
import { messageOf } from '@selvedge/kit';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { laneBed } from './support/lane.ts';

/** Two shops with a bare node each: what happens to their networks is nobody else's business. */
const [shop, neighbour] = ['nat-1', 'nat-2'] as const;
const nodes = { [shop]: 'till-1', [neighbour]: 'till-2' };
let bed: Bed;

beforeAll(async () => {
  bed = await Bed.open(laneBed());
  for (const site of [shop, neighbour]) {
    await bed.addSite({ name: site });
    await bed.addNode({ name: nodes[site], site, agent: 'none' });
  }
});
afterEach(() => bed.heal(shop));
afterAll(async () => {
  for (const site of [shop, neighbour]) {
    await bed.removeNode(nodes[site]);
    await bed.removeSite(site);
  }
});

interface Answer {
  /** 0, or why there was none: 7 refused, 28 not in time, 35 or 56 reset. Source: curl(1), EXIT CODES. */
  readonly exitCode: number;
  readonly seconds: number;
  readonly bytes: number;
}

const figures = /(\d+) ([\d.]+) (\d+)\s*$/;

/** For what has no answer. */
const briefly = ['--max-time', '2'] as const;

/** Asks for a URL at a place of the bed. */
async function curl(place: string, url: string, ...options: readonly string[]): Promise<Answer> {
  const format = '%{exitcode} %{time_total} %{size_download}';
  const quiet = [
    '--silent',
    '--insecure',
    '--max-time',
    '30',
    '--output',
    '/dev/null',
    '--write-out',
    format,
  ];
  const said = await bed.exec(place, ['curl', ...quiet, ...options, url]).then(
    ({ stdout }) => stdout,
    // curl prints its figures whatever happens, and a failed command's error ends with what it printed.
    (error: unknown) => messageOf(error),
  );
  const [exitCode = -1, seconds = 0, bytes = 0] = figures.exec(said)?.slice(1).map(Number) ?? [];
  return { exitCode, seconds, bytes };
}

const livez = (): string => `${bed.server}/livez`;
const addressOf = async (name: string): Promise<string> =>
  (await bed.status()).nodes.find((node) => node.name === name)?.address ?? '';
const routerOf = async (name: string): Promise<string> =>
  (await bed.status()).sites.find((site) => site.name === name)?.address ?? '';

/** An administrator's certificate, for curl. */
function asAdmin(): string[] {
  const file = (name: string): string => join(dirname(bed.kubeconfig), 'pki', name);
  return ['--cert', file('admin.crt'), '--key', file('admin.key')];
}

describe('NAT', () => {
  it('lets nodes of two sites with the same address reach the cloud', async () => {
    expect(await addressOf('till-1')).toBe(await addressOf('till-2'));
    for (const node of Object.values(nodes))
      expect(await curl(node, livez())).toMatchObject({ exitCode: 0, bytes: 2 });
  });

  it('keeps the cloud from dialling in, even with a route', async () => {
    const address = await addressOf('till-1');
    const router = await routerOf(shop);
    const url = `http://${address}:8099/`;
    await bed.exec('till-1', ['busybox', 'httpd', '-p', '8099', '-h', '/etc']);
    await bed.exec('cloud', ['ip', 'route', 'add', `${address}/32`, 'via', router]);
    try {
      expect(await curl(shop, `${url}hostname`)).toMatchObject({ exitCode: 0 });
      expect(await curl('cloud', url, ...briefly)).toMatchObject({ exitCode: 28 });
      expect(await curl('cloud', `http://${router}:8099/`, ...briefly)).toMatchObject({ exitCode: 28 });
    } finally {
      await bed.exec('cloud', ['ip', 'route', 'del', `${address}/32`]);
    }
  });

  it('keeps a site from the machine that the bed runs on', async () => {
    const server = createServer((_, response) => response.end('ok'));
    server.listen(0, '0.0.0.0');
    await once(server, 'listening');
    const machine = new URL(bed.server).hostname.replace(/\d+$/, '254');
    const url = `http://${machine}:${(server.address() as AddressInfo).port}/`;
    try {
      expect(await curl('cloud', url)).toMatchObject({ exitCode: 0, bytes: 2 });
      expect((await curl('till-1', url, ...briefly)).exitCode).not.toBe(0);
    } finally {
      server.close();
    }
  });
});

describe('a cut', () => {
  it('refuses, or swallows, and is healed; the neighbour does not notice', async () => {
    await bed.cut(shop, 'refused');
    expect(await curl('till-1', livez())).toMatchObject({ exitCode: 7 });
    await bed.cut(shop, 'blackhole');
    expect(await curl('till-1', livez(), ...briefly)).toMatchObject({ exitCode: 28 });
    expect(await curl('till-2', livez())).toMatchObject({ exitCode: 0 });
    await bed.heal(shop);
    expect(await curl('till-1', livez())).toMatchObject({ exitCode: 0 });
  });

  it('ends connections that are open', async () => {
    const watch = `${bed.server}/api/v1/namespaces?watch=1&timeoutSeconds=10`;
    const open = curl('till-1', watch, ...asAdmin(), '--max-time', '9');
    await bed.cut(shop, 'refused');
    expect((await open).exitCode).not.toBe(0);
  });

  it('is listed by status', async () => {
    await bed.cut(shop, 'blackhole');
    expect((await bed.status()).sites.find(({ name }) => name === shop)).toMatchObject({
      faults: { cut: 'blackhole' },
      wan: 'cut (blackhole)',
    });
  });
});

describe('a shape', () => {
  it('adds latency in both directions', async () => {
    await bed.shape(shop, { latencyMs: 150, jitterMs: 10 });
    const { exitCode, seconds } = await curl('till-1', livez());
    expect(exitCode).toBe(0);
    // Two round trips of TLS 1.3 and HTTP, each way late by 150 ms.
    expect(seconds).toBeGreaterThan(0.6);
  });

  it('limits the rate', async () => {
    await bed.shape(shop, { kilobitsPerSecond: 400 });
    const { exitCode, bytes } = await curl('till-1', `${bed.server}/openapi/v2`, ...asAdmin(), ...briefly);
    expect(exitCode).toBe(28);
    expect(bytes).toBeLessThan(200_000);
    await bed.heal(shop);
    expect(await curl('till-1', `${bed.server}/openapi/v2`, ...asAdmin())).toMatchObject({ exitCode: 0 });
  });

  it('loses packets', async () => {
    await bed.shape(shop, { loss: 1 });
    expect(await curl('till-1', livez(), ...briefly)).toMatchObject({ exitCode: 28 });
  });

  it('resets connections', async () => {
    await bed.shape(shop, { resetEveryMs: 100 });
    const watch = `${bed.server}/api/v1/namespaces?watch=1&timeoutSeconds=10`;
    const { exitCode } = await curl('till-1', watch, ...asAdmin(), '--max-time', '9');
    expect([35, 52, 56]).toContain(exitCode);
  });
});

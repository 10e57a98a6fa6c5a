import { Bed, nameBed, processBedDeps, waitFor } from '@selvedge/bed';
import { provideEdgeLite } from '@selvedge/hack/release';
import { processSetup } from '@selvedge/hack/setup';
import { systemClock } from '@selvedge/kit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type HubStatus, askHub } from './support/hub-site.ts';
import { pod, running } from './support/pods.ts';

/** A lite node whose edge-lite is the executable for arm64, emulated; containerd and what it runs are of this machine. */
const node = 'arm-1';
const shop = 'shop-1';
const settings = ['SELVEDGE_TUNED=1', 'MALLOC_ARENA_MAX=1', 'UV_THREADPOOL_SIZE=2'];
const emulator = ['/usr/bin/qemu-aarch64-static', '-L', '/usr/aarch64-linux-gnu'];

let name: string;
let bed: Bed;

const until = <T>(what: string, look: () => Promise<T | undefined | false>): Promise<T> =>
  waitFor({ what, timeoutMs: 600_000, everyMs: 500 }, systemClock, look);

const connectivity = async (): Promise<string> =>
  (JSON.parse(await askHub({ bed }, node, '/selvedge/status')) as HubStatus).connectivity.kind;

const kubectl = async (...args: readonly string[]): Promise<string> => (await bed.kubectl(args)).stdout;

async function runs(pods: string): Promise<void> {
  const one = {
    apiVersion: 'v1',
    kind: 'Pod',
    ...pod({ name: pods, node, containers: [running('echo hello')] }),
  };
  await bed.kubectl(['create', '--filename=-'], { input: JSON.stringify(one) });
  await bed.kubectl(['wait', '--for=condition=Ready', `pod/${pods}`, '--timeout=600s']);
}

beforeAll(async () => {
  const setup = processSetup();
  await setup.packages();
  name = await nameBed('arm');
  const executable = await provideEdgeLite('arm64', setup);
  bed = await Bed.up(
    {
      name,
      controlPlane: { tunnel: true },
      sites: [{ name: shop }],
      nodes: [{ name: node, site: shop, agent: 'lite' }],
    },
    { ...processBedDeps(), edgeLite: ['/usr/bin/env', ...settings, ...emulator, executable] },
  );
  await until('the default service account', async () =>
    (await kubectl('get', 'serviceaccounts', '--output=name')).includes('/default'),
  );
});
afterAll(() => Bed.down(name));

describe('the executable for arm64', () => {
  it('joins, as a node of its processor', async () => {
    const path = '--output=jsonpath={.status.nodeInfo.architecture}';
    expect(await kubectl('get', 'node', node, path)).toBe('arm64');
  });

  it('runs a pod, and shows its log through the tunnel', async () => {
    await runs('first');
    expect(await kubectl('logs', 'first')).toBe('hello\n');
    expect((await kubectl('exec', 'first', '--', 'echo', 'through the tunnel')).trim()).toBe(
      'through the tunnel',
    );
  });

  it('goes on alone, through a restart too, and comes back', async () => {
    const before = await bed.containers(node, { pod: 'first' });
    await bed.cut(shop, 'blackhole');
    await until('the hub to know', async () => (await connectivity()) === 'offline');
    await bed.stopAgent(node);
    await bed.startAgent(node, { wait: false });
    await until('the hub to answer', async () => (await connectivity().catch(() => '')) !== '');
    expect(await bed.containers(node, { pod: 'first' })).toEqual(before);
    await bed.heal(shop);
    await until('the hub to know', async () => (await connectivity()) === 'online');
    await runs('second');
    expect(await kubectl('logs', 'second')).toBe('hello\n');
  });
});

import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createLimiter } from '@selvedge/kit';
import { type KubeClient, resources } from '@selvedge/kube';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { PrivateControlPlane } from '../bed/control-plane/private-control-plane.ts';
import { connect, startControlPlane } from './kube-world.ts';

const { signal } = new AbortController();
const main = join(import.meta.dirname, 'hub-large-list-main.ts');
/** Characters in each config map, and their number, by namespace: together more than the heap below, in pages or not. */
const sizes = { small: [5_000, 10_000], large: [32_000, 2_500] } as const;
type Namespace = keyof typeof sizes;
/**
 * What lives in it at any time was seen to be 22 to 28 MiB, of which the program itself is 14, and the list passes through
 * 28 beside two busy processes; the rest is the margin. Young objects are few, for with many of them V8 gives up when
 * they grow old faster than it sweeps.
 */
const heap = ['--max-old-space-size=48', '--max-semi-space-size=4'];

let controlPlane: PrivateControlPlane;
let folder: string;

async function fill(client: KubeClient, namespace: Namespace): Promise<void> {
  const [length, count] = sizes[namespace];
  const data = { text: 'x'.repeat(length) };
  const limiter = createLimiter({ capacity: 32 });
  const create = (_: unknown, i: number): Promise<unknown> =>
    limiter.run(signal, () =>
      client.create(resources.configMaps, { metadata: { namespace, name: `map-${i}` }, data }, { signal }),
    );
  await client.create(resources.namespaces, { metadata: { name: namespace } }, { signal });
  await Promise.all(Array.from({ length: count }, create));
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'large-list-'));
  controlPlane = await startControlPlane();
  const { client } = await connect(controlPlane.kubeconfig);
  await fill(client, 'small');
  await fill(client, 'large');
  await client.close();
});
afterAll(async () => {
  await controlPlane?.stop();
  await rm(folder, { recursive: true });
});

async function run(namespace: Namespace, how: string): Promise<unknown> {
  const argv = [...heap, main, controlPlane.kubeconfig, join(folder, `${namespace}-${how}`), namespace, how];
  const { stdout } = await promisify(execFile)(process.execPath, argv);
  return JSON.parse(stdout);
}

test.each([
  ['small', 'stream'],
  ['small', 'paged'],
  ['large', 'stream'],
  ['large', 'paged'],
] as const)('many %s objects pass through a small heap: %s', async (namespace, how) => {
  expect(await run(namespace, how)).toMatchObject({ held: sizes[namespace][1] });
});

test('held as a whole they would not', async () => {
  await expect(run('large', 'whole')).rejects.toThrow(/heap|memory/i);
});

import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createLimiter } from '@selvedge/kit';
import { resources } from '@selvedge/kube';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { PrivateControlPlane } from '../bed/control-plane/private-control-plane.ts';
import { connect, startControlPlane } from './kube-world.ts';

const { signal } = new AbortController();
const main = join(import.meta.dirname, 'hub-large-list-main.ts');
const namespace = 'default';
const objects = 10_000;
/** Together much more than the heap below. */
const data = { text: 'x'.repeat(8_000) };
const heapMiB = 48;

let controlPlane: PrivateControlPlane;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'large-list-'));
  controlPlane = await startControlPlane();
  const { client } = await connect(controlPlane.kubeconfig);
  const limiter = createLimiter({ capacity: 32 });
  const names = Array.from({ length: objects }, (_, i) => `map-${i}`);
  const create = (name: string): Promise<unknown> =>
    limiter.run(signal, () =>
      client.create(resources.configMaps, { metadata: { namespace, name }, data }, { signal }),
    );
  await Promise.all(names.map(create));
  await client.close();
});
afterAll(async () => {
  await controlPlane?.stop();
  await rm(folder, { recursive: true });
});

async function run(how: string): Promise<{ readonly held: number; readonly maxResidentKiB: number }> {
  const argv = [`--max-old-space-size=${heapMiB}`, main, controlPlane.kubeconfig, folder, namespace, how];
  const { stdout } = await promisify(execFile)(process.execPath, argv);
  return JSON.parse(stdout) as Awaited<ReturnType<typeof run>>;
}

test.each(['stream', 'paged'])('ten thousand objects pass through a small heap: %s', async (how) => {
  expect(await run(how)).toMatchObject({ held: objects });
});

test('held as a whole they would not', async () => {
  await expect(run('whole')).rejects.toThrow(/heap|memory/i);
});

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { Bed, imageRefs, nameBed, waitFor } from '@selvedge/bed';
import { run } from '@selvedge/hack/setup';
import { systemClock } from '@selvedge/kit';
import { afterEach, describe, expect, it } from 'vitest';
import { added, machineSnapshot } from './support/machine-snapshot.ts';

const name = await nameBed('tidy');
const second = await nameBed('tidy2');

afterEach(async () => {
  await Bed.down(name);
  await Bed.down(second);
});

const isThere = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

async function runPods(bed: Bed): Promise<void> {
  await bed.kubectl([
    'create',
    'deployment',
    'web',
    `--image=${imageRefs.busybox}`,
    '--replicas=2',
    '--',
    'sleep',
    '600',
  ]);
  await bed.kubectl(['rollout', 'status', 'deployment/web', '--timeout=60s']);
}

/** Starts a verb, by default `up`, as a person would, and kills it without warning once its progress shows `line`. */
async function killUpAt(line: RegExp, verb: readonly string[] = ['up', '--stock', '1']): Promise<void> {
  const main = join(import.meta.dirname, '../bed/main.ts');
  const child = spawn(process.execPath, [main, '--bed', name, ...verb], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const ended = once(child, 'exit');
  for await (const shown of createInterface({ input: child.stderr })) {
    if (line.test(shown)) child.kill('SIGKILL');
  }
  const [, signal] = (await ended) as [number | null, string | null];
  expect(signal).toBe('SIGKILL');
}

describe('after down', () => {
  it('nothing is left of a bed that ran pods', async () => {
    const before = await machineSnapshot();
    const bed = await Bed.up({ name, nodes: [{ name: 'stock-1' }] });
    await bed.shape('site-1', { latencyMs: 10, kilobitsPerSecond: 10_000 });
    await runPods(bed);
    const during = added(before, await machineSnapshot(), name);
    expect(Object.keys(during).toSorted()).toEqual(
      ['addresses', 'cgroups', 'links', 'mounts', 'namespaces', 'processes', 'routes'].toSorted(),
    );
    await bed.down();
    expect(added(before, await machineSnapshot(), name)).toEqual({});
    expect(await isThere(dirname(bed.kubeconfig))).toBe(false);
    expect(await Bed.list()).not.toContain(name);
  });

  it('nothing is left of a machine, nor of one that was killed half-made', async () => {
    const before = await machineSnapshot();
    const bed = await Bed.up({ name, nodes: [{ name: 'machine-1', kind: 'machine' }] });
    await runPods(bed);
    await killUpAt(/^→ node machine-2/, ['machine', 'add', 'machine-2']);
    await bed.down();
    expect(added(before, await machineSnapshot(), name)).toEqual({});
    expect(await isThere(dirname(bed.kubeconfig))).toBe(false);
  });

  it.each([
    ['its network', /^→ network/],
    ['its control plane', /^→ control plane/],
    ['its node', /^→ node/],
  ])('nothing is left of a bed whose up was killed while it made %s', async (_, line) => {
    const before = await machineSnapshot();
    await killUpAt(line);
    await Bed.down(name);
    expect(added(before, await machineSnapshot(), name)).toEqual({});
  });
});

describe('up', () => {
  it('repairs what a killed up left', async () => {
    await killUpAt(/^→ node/);
    const bed = await Bed.up({ name });
    await runPods(bed);
    const { nodes, processes } = await bed.status();
    expect(nodes).toMatchObject([{ name: 'stock-1', ready: 'True' }]);
    expect(processes.filter(({ running }) => !running)).toEqual([]);
  });

  it('makes anew a network that was taken apart, and what ran in it', async () => {
    const before = await machineSnapshot();
    const bed = await Bed.up({ name, nodes: [{ name: 'stock-1' }] });
    await runPods(bed);
    const old = await bed.containers('stock-1');
    await run({ argv: ['ip', 'netns', 'delete', `selvedge.${name}.site.site-1`] });
    await Bed.up({ name });
    await bed.kubectl(['rollout', 'status', 'deployment/web', '--timeout=60s']);
    const running = await waitFor({ what: 'two new containers' }, systemClock, async () => {
      const all = await bed.containers('stock-1', { container: 'busybox' });
      const now = all.filter(({ state }) => state === 'running');
      return now.length === 2 ? now : undefined;
    });
    expect(running.some(({ id }) => old.some((each) => each.id === id))).toBe(false);
    await bed.down();
    expect(added(before, await machineSnapshot(), name)).toEqual({});
  });

  it('says at once which program cannot start, and why', async () => {
    const apiServerFlags = ['--no-such-flag=1'];
    const up = Bed.up({ name, controlPlane: { apiServerFlags } });
    await expect(up).rejects.toThrow(/kube-apiserver ended.*unknown flag: --no-such-flag/);
    await Bed.up({ name, controlPlane: { apiServerFlags: [] } });
  });

  it('starts again what has died, and leaves alone what runs', async () => {
    const bed = await Bed.up({ name });
    const before = (await bed.status()).processes;
    const scheduler = before.find((each) => each.name === 'kube-scheduler');
    process.kill(scheduler?.pid ?? 0, 'SIGKILL');
    const dead = { what: 'end of the scheduler' };
    await waitFor(dead, systemClock, async () =>
      (await bed.status()).processes.some((each) => !each.running),
    );
    await Bed.up({ name });
    const after = (await bed.status()).processes;
    expect(after.every((each) => each.running)).toBe(true);
    const kept = after.filter(({ pid }) => before.some((each) => each.pid === pid)).map((each) => each.name);
    expect(kept).toEqual(before.map((each) => each.name).filter((each) => each !== 'kube-scheduler'));
  });
});

describe('two beds', () => {
  it('live side by side, and one stays when the other goes', async () => {
    const [one, other] = await Promise.all([Bed.up({ name }), Bed.up({ name: second })]);
    expect(one.server).not.toBe(other.server);
    await one.kubectl(['create', 'namespace', 'only-here']);
    const { stdout } = await other.kubectl(['get', 'namespaces', '--output=name']);
    expect(stdout).not.toContain('only-here');
    await one.down();
    await other.kubectl(['get', '--raw', '/readyz']);
  });
});

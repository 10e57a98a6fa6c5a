import { readFile, readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { createMetricsRegistry, silentLogger, systemClock } from '@selvedge/kit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { logOptions } from '../../packages/edge-lite/src/kubelet-api/logs/log-options.ts';
import { readLog } from '../../packages/edge-lite/src/kubelet-api/logs/read-log.ts';
import { createLogRotator } from '../../packages/edge-lite/src/pods/index.ts';
import { waitFor } from '../bed/wait.ts';
import type { Engine } from './pods-engine.ts';
import { PodsWorld, busybox } from './pods-world.ts';

const lines = 10_000;
const maxBytes = 32 * 1024;

/** Writes numbered lines in bursts, then nothing more. */
const writer = `i=0; while [ $i -lt ${lines} ]; do echo "<$i>"; i=$((i+1)); [ $((i%200)) = 0 ] && sleep 0.05; done; sleep 3600`;

describe('log rotation with containerd 1.6', () => {
  let world: PodsWorld;
  let engine: Engine;
  beforeAll(async () => {
    world = await PodsWorld.start('1.6');
    engine = await world.engine();
  });
  afterAll(async () => {
    await engine.stop();
    await world.stop();
  });

  /** What the container wrote, oldest file first. */
  const written = async (log: string): Promise<readonly number[]> => {
    const folder = dirname(log);
    const [live = '', ...rotated] = (await readdir(folder)).toSorted();
    const texts = [...rotated, live].map(async (name) => {
      const bytes = await readFile(join(folder, name));
      return (name.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString();
    });
    const text = (await Promise.all(texts)).join('');
    return Array.from(text.matchAll(/<(\d+)>\n/g), ([, number]) => Number(number));
  };

  /** What somebody is shown who follows the log from now on until its last line. */
  const followed = async (path: string): Promise<readonly number[]> => {
    const container = { ended: async () => false, onChange: () => ({ [Symbol.dispose]: () => undefined }) };
    const options = { ...logOptions(new URLSearchParams('follow'), 0), path };
    let text = '';
    for await (const piece of readLog(options, { writer: container, clock: systemClock }, world.signal)) {
      text += Buffer.from(piece).toString();
      if (text.endsWith(`<${lines - 1}>\n`)) break;
    }
    return Array.from(text.matchAll(/<(\d+)>\n/g), ([, number]) => Number(number));
  };

  it('loses no line of a container that goes on writing, nor for who follows it', async () => {
    const common = { clock: systemClock, random: Math.random, log: silentLogger };
    const rotator = createLogRotator(
      { maxBytes, maxFiles: 100, checkMs: 100 },
      { ...common, runtime: engine.runtime, metrics: createMetricsRegistry() },
    );
    await rotator.start(world.signal);
    const pod = world.api.create('writer', {
      containers: [{ name: 'main', image: busybox, command: ['sh', '-c', writer] }],
    });
    await world.status(pod, 'Running', ({ phase }) => phase === 'Running');
    const log = (await world.observe(engine))[0]?.containers[0]?.logPath ?? '';
    const reading = followed(log);
    await waitFor({ what: 'the last line' }, systemClock, async () =>
      (await written(log)).includes(lines - 1),
    );
    // The newest rotated file stays as it is until the next one comes.
    const older = async (): Promise<readonly string[]> =>
      (await readdir(dirname(log))).toSorted().slice(1, -1);
    await waitFor({ what: 'older files are compressed' }, systemClock, async () =>
      (await older()).every((name) => name.endsWith('.gz')),
    );
    await rotator.stop();
    const shown = await reading;
    expect(shown).toEqual(Array.from({ length: lines - (shown[0] ?? 0) }, (_, i) => (shown[0] ?? 0) + i));
    expect(shown[0]).toBeLessThan(lines / 2);

    expect(await written(log)).toEqual(Array.from({ length: lines }, (_, i) => i));
    expect((await older()).length).toBeGreaterThan(2);

    await world.clear();
    await expect.poll(() => world.leftovers()).toEqual([]);
  });
});

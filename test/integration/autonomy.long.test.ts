import { type Clock, systemClock } from '@selvedge/kit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { AutonomyWorld, type RunningAutonomy, until } from './autonomy-world.ts';

let world: AutonomyWorld;
let running: RunningAutonomy;
/** As Kubernetes and cloud-manager are without flags and config. */
const usual = { gracePeriodMs: 40_000, witnessMs: 30_000 };
const minute = 60_000;

beforeAll(async () => {
  world = await AutonomyWorld.start([]);
  running = await world.run(usual);
});
afterAll(async () => {
  await running.stop();
  await world[Symbol.asyncDispose]();
});

const pass = (ms: number, clock: Pick<Clock, 'sleep'> = systemClock): Promise<void> => clock.sleep(ms);
const patient = { timeout: 20 * minute };

test(
  'pods outlast seven minutes without cloud-manager, and the node is Ready again with it',
  patient,
  async () => {
    await world.addEdgeNode('shop');
    await world.addEdgeNode('stock', 'off');
    await world.addPod('kept', 'shop', 300);
    await world.addPod('evicted', 'stock', 300);
    await until('tolerations', async () => (await world.toleratedSeconds('kept')) === 3_600);
    await world.untilState('shop', 'Connected');
    await running.stop();
    world.nodes.cut('shop', 'stock');
    // The grace period, five minutes of tolerations, and what a queue of evictions takes.
    await pass(7 * minute);
    expect(await world.podIfAny('evicted')).toBeUndefined();
    expect((await world.pod('kept')).metadata.deletionTimestamp).toBeUndefined();
    running = await world.run(usual);
    await world.untilState('shop', 'Autonomous');
    await until(
      'no taint',
      async () => !(await world.taints('shop')).some((taint) => /unreachable/.test(taint)),
    );
    expect(world.readiness.get('shop')?.at(-1)).toBe('True');
  },
);

test('a node that is cut off outlasts the stock limits, and is never given up', patient, async () => {
  await world.addEdgeNode('held');
  await world.addPod('serving', 'held', 300);
  await world.untilState('held', 'Connected');
  world.nodes.cut('held');
  await pass(7 * minute);
  expect(world.readiness.get('held')).toEqual(['none', 'True']);
  expect((await world.pod('serving')).metadata.deletionTimestamp).toBeUndefined();
});

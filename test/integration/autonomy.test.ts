import { type Clock, systemClock } from '@selvedge/kit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { AutonomyWorld, type RunningAutonomy, graceMs, until } from './autonomy-world.ts';

let world: AutonomyWorld;
let running: RunningAutonomy;

beforeAll(async () => {
  world = await AutonomyWorld.start();
  running = await world.run();
});
afterAll(async () => {
  await running.stop();
  await world[Symbol.asyncDispose]();
});

/** Until the stock controller has given up somebody who fell silent at the same time, and again as long. */
const letStockAct = (clock: Pick<Clock, 'sleep'> = systemClock): Promise<void> => clock.sleep(2 * graceMs);

const unreachable = 'node.kubernetes.io/unreachable';

test('a node that is cut off stays Ready and keeps its pods, and gets no new ones, until it is back', async () => {
  await world.addEdgeNode('held-1');
  await world.addPod('kept', 'held-1');
  await world.untilState('held-1', 'Connected');
  await until('tolerations', async () => {
    const { tolerations = [] } = (await world.pod('kept')).spec ?? {};
    return tolerations.find(({ key }) => key === unreachable)?.tolerationSeconds === 3_600;
  });
  world.nodes.cut('held-1');
  await world.untilState('held-1', 'Autonomous');
  await until('the taint', async () =>
    (await world.taints('held-1')).includes('selvedge.io/autonomous:NoSchedule'),
  );
  await letStockAct();
  expect(world.readiness.get('held-1')).toEqual(['none', 'True']);
  expect((await world.pod('kept')).metadata.deletionTimestamp).toBeUndefined();
  world.nodes.heal('held-1');
  await world.untilState('held-1', 'Connected');
  await until('no taint', async () => (await world.taints('held-1')).length === 0);
  expect(world.readiness.get('held-1')).toEqual(['none', 'True']);
});

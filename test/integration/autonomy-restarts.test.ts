import { afterAll, beforeAll, expect, test } from 'vitest';
import { AutonomyWorld, type RunningAutonomy, hurried, neverGivenUp, until } from './autonomy-world.ts';

let world: AutonomyWorld;
let running: RunningAutonomy;

beforeAll(async () => {
  // Of two hundred, one is easily late on a machine that has other work to do.
  world = await AutonomyWorld.start(hurried(30));
  running = await world.run();
});
afterAll(async () => {
  await running.stop();
  await world[Symbol.asyncDispose]();
});

/** Each waits for what a stock controller does in its time, several times. */
const patient = { timeout: 300_000 };
const many = Array.from({ length: 200 }, (_, index) => `many-${index}`);

test(
  'two hundred nodes that lost their links at once are held, also while the controller manager restarts',
  patient,
  async () => {
    await Promise.all(many.map((name) => world.addEdgeNode(name)));
    for (const name of many) await world.untilState(name, 'Connected');
    world.nodes.cut(...many);
    for (const name of many) await world.untilState(name, 'Autonomous');
    const { controlPlane } = world.cluster;
    await controlPlane.stopControllerManager();
    await controlPlane.startControllerManager();
    await world.stockActs();
    for (const name of many) expect([name, world.readiness.get(name)]).toEqual([name, neverGivenUp]);
  },
);

test('nodes are held, or Ready again, when the API server was restarted', patient, async () => {
  const { controlPlane } = world.cluster;
  await controlPlane.stopApiServer('kill');
  await controlPlane.startApiServer();
  // It was away for longer than the grace, perhaps: then Ready is put back.
  await world.stockActs();
  await until('nodes that are Ready', () => world.allReady());
  const states = await Promise.all(many.map((name) => world.state(name)));
  expect(new Set(states)).toEqual(new Set(['Autonomous']));
});

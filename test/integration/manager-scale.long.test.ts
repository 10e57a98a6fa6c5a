import { afterAll, beforeAll, expect, test } from 'vitest';
import { cut, heal, restart } from '../bench/scale/scenes.ts';
import { quiet } from '../bench/scale/observe.ts';
import type { ScaleWorld } from '../bench/scale/world.ts';
import { graceSeconds, openSmallWorld, patient, patientMs, small, untilConverged } from './scale-world.ts';

const { units, nodesOfEach } = small;

let world: ScaleWorld;

beforeAll(async () => {
  world = await openSmallWorld();
});
afterAll(() => world[Symbol.asyncDispose]());

test('a leader that starts anew writes what changed meanwhile, and no more', patient, async () => {
  const { written } = await restart(world);
  expect(written.byKind.get('patch nodes')).toBeGreaterThanOrEqual(1);
  expect(written.byKind.get('patch edgeunits/status') ?? 0).toBeLessThanOrEqual(2);
  expect(written.total).toBeLessThanOrEqual(4);
});

test(
  'nodes that lose their link at once are marked by a few writes each, which make none unready and delete no pod',
  patient,
  async () => {
    const { manager, nodes } = world;
    await manager.stop('SIGTERM');
    await manager.start(graceSeconds.short);
    await untilConverged(world);
    const names = nodes.names.slice(0, (units * nodesOfEach * 3) / 10);
    const control = await world.addControl();
    await world.addPods([...names, control]);
    await quiet(world, 4, patientMs);
    const seen = await cut(world, names, { control, holdSeconds: 1 });
    expect({ unready: seen.unready, evicted: seen.evicted }).toEqual({ unready: 0, evicted: 0 });
    expect(seen.moves).toBeGreaterThanOrEqual(names.length);
    // EdgeNode, taint, condition, event, the unit; where the last of a unit goes later than the first, with another reason.
    expect(seen.written.total - seen.renewals).toBeLessThanOrEqual(seen.moves * 12);
    await heal(world, [...names, control]);
    // With exactly the rights of the manifest.
    expect(await manager.log()).not.toContain('Forbidden');
  },
);

import { afterAll, beforeAll, expect, test } from 'vitest';
import { changeImage, createApps } from '../bench/scale/app-scenes.ts';
import { idle, relabel } from '../bench/scale/scenes.ts';
import type { ScaleWorld } from '../bench/scale/world.ts';
import { openSmallWorld, patient, small, steady } from './scale-world.ts';

const { units, nodesOfEach } = small;

let world: ScaleWorld;

beforeAll(async () => {
  world = await openSmallWorld(steady);
});
afterAll(() => world[Symbol.asyncDispose]());

test('nothing is written while nothing changes', patient, async () => {
  const { written } = await idle(world, 3);
  expect([...written.byKind]).toEqual([]);
});

test('a change of one unit is written to its members and to itself', patient, async () => {
  const { byKind } = await relabel(world, 'unit-3', 'beta');
  expect(byKind.get('patch nodes')).toBeGreaterThanOrEqual(nodesOfEach);
  // A node that writes its status in between is looked at again.
  expect(byKind.get('patch nodes')).toBeLessThanOrEqual(2 * nodesOfEach);
  expect(Array.from(byKind.keys(), (kind) => kind.split(' ')[1]?.split('/')[0])).not.toContain('edgenodes');
  // That it is under way, and each member that is done later than the others.
  expect(byKind.get('patch edgeunits/status')).toBeLessThanOrEqual(1 + nodesOfEach);
});

test('a change of one UnitApp is one request for each unit, and few for the UnitApp', patient, async () => {
  const { written: made } = await createApps(world, [{ name: 'shop' }]);
  expect(made.byKind.get('patch deployments')).toBe(units);
  const { written } = await changeImage(world, 'shop', 'registry.example.org/shop:2');
  expect(written.byKind.get('patch deployments')).toBe(units);
  // Each is another status: it says how many are done.
  const reports = written.byKind.get('patch unitapps/status') ?? 0;
  expect(reports).toBeLessThanOrEqual(units + 3);
  expect(written.asked - reports).toBeLessThanOrEqual(2 * units);
});

import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { changeImage, createApps } from '../bench/scale/app-scenes.ts';
import { converged, quiet } from '../bench/scale/observe.ts';
import { cut, heal, idle, relabel, restart } from '../bench/scale/scenes.ts';
import { type ScaleWorld, openScaleWorld } from '../bench/scale/world.ts';

// The bench in small: what is counted must be the same on any machine, however slow.

const main = join(import.meta.dirname, '../../packages/cloud-manager/src/main.ts');
const units = 20;
const nodesOfEach = 3;
const patient = { timeout: 400_000 };
const patientMs = 300_000;
/** Nobody is to be taken for cut because the machine is slow, until that is what is looked at. */
const graceSeconds = { long: 600, short: 10, stock: 60 };

let world: ScaleWorld;

beforeAll(async () => {
  world = await openScaleWorld({
    program: [process.execPath, main],
    gracePeriodSeconds: graceSeconds.long,
    leaderElection: { leaseDurationSeconds: 5, renewDeadlineSeconds: 3, retrySeconds: 1 },
    monitorGraceSeconds: graceSeconds.stock,
    beatMs: 1_000,
    beatsPerStatus: 5,
  });
  await world.grow(units, nodesOfEach);
  await world.addPods(world.nodes.names);
  await world.manager.start();
  await converged(world, Date.now(), patientMs);
  await quiet(world, 4, patientMs);
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
  expect(byKind.get('patch edgeunits/status')).toBeLessThanOrEqual(2);
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

test('a leader that starts anew writes what changed meanwhile, and no more', patient, async () => {
  const { written } = await restart(world);
  expect(written.byKind.get('patch nodes')).toBeGreaterThanOrEqual(1);
  expect(written.byKind.get('patch edgeunits/status') ?? 0).toBeLessThanOrEqual(2);
  expect(written.total).toBeLessThanOrEqual(4);
});

test(
  'nodes that lose their link at once stay Ready and keep their pods, for a few writes each',
  patient,
  async () => {
    const { manager, nodes } = world;
    await manager.stop('SIGTERM');
    await manager.start(graceSeconds.short);
    await converged(world, Date.now(), patientMs);
    const names = nodes.names.slice(0, (units * nodesOfEach * 3) / 10);
    const seen = await cut(world, names, { holdSeconds: 1, pods: nodes.names.length });
    expect({ unready: seen.unready, evicted: seen.evicted }).toEqual({ unready: 0, evicted: 0 });
    expect(seen.moves).toBeGreaterThanOrEqual(names.length);
    // EdgeNode, taint, condition, event, the unit; where the last of a unit goes later than the first, with another reason.
    expect(seen.written.total - seen.renewals).toBeLessThanOrEqual(seen.moves * 12);
    await heal(world, names);
    // With exactly the rights of the manifest.
    expect(await manager.log()).not.toContain('Forbidden');
  },
);

import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { changeImage, createApps } from '../bench/scale/app-scenes.ts';
import { converged } from '../bench/scale/observe.ts';
import { cut, heal, idle, relabel, restart } from '../bench/scale/scenes.ts';
import { type ScaleWorld, openScaleWorld } from '../bench/scale/world.ts';

// The bench in small: what is counted must be the same on any machine, however slow.

const main = join(import.meta.dirname, '../../packages/cloud-manager/src/main.ts');
const units = 20;
const nodesOfEach = 3;
const patient = { timeout: 400_000 };
const patientMs = 300_000;
/** Nodes that renew later than this may be taken for cut, which is no fault of who is measured. */
const tolerableLagMs = 3_000;

let world: ScaleWorld;

beforeAll(async () => {
  world = await openScaleWorld({
    program: [process.execPath, main],
    gracePeriodSeconds: 10,
    leaderElection: { leaseDurationSeconds: 5, renewDeadlineSeconds: 3, retrySeconds: 1 },
    monitorGraceSeconds: 30,
    beatMs: 1_000,
    beatsPerStatus: 5,
  });
  await world.grow(units, nodesOfEach);
  await world.addPods(world.nodes.names);
  await world.manager.start();
  await converged(world, Date.now(), patientMs);
});
afterAll(() => world[Symbol.asyncDispose]());

test('nothing is written while nothing changes', patient, async () => {
  let seen = await idle(world, 3);
  while (seen.lagMs > tolerableLagMs) seen = await idle(world, 3);
  expect([...seen.written.byKind]).toEqual([]);
});

test('a change of one unit is written to its members and to itself', patient, async () => {
  const { byKind } = await relabel(world, 'unit-3', 'beta');
  expect(byKind.get('patch nodes')).toBe(nodesOfEach);
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
  expect(written.byKind.get('patch nodes')).toBe(1);
  expect(written.byKind.get('patch edgeunits/status') ?? 0).toBeLessThanOrEqual(2);
  // A node that renewed late is held for once, just in case.
  expect(written.total - (written.byKind.get('patch leases') ?? 0)).toBeLessThanOrEqual(3);
});

test(
  'nodes that lose their link at once stay Ready and keep their pods, for a few writes each',
  patient,
  async () => {
    const names = world.nodes.names.slice(0, (units * nodesOfEach * 3) / 10);
    const seen = await cut(world, names, { holdSeconds: 1, pods: world.nodes.names.length });
    expect({ unready: seen.unready, evicted: seen.evicted }).toEqual({ unready: 0, evicted: 0 });
    // Once more where the last of a unit went later than the first: then there is another reason.
    expect(seen.written.byKind.get('patch edgenodes/status')).toBeLessThanOrEqual(names.length * 2);
    expect(seen.written.total - seen.renewals).toBeLessThanOrEqual(names.length * 8);
    const back = await heal(world, names);
    expect(back.total - (back.byKind.get('patch leases') ?? 0)).toBeLessThanOrEqual(names.length * 8);
    // With exactly the rights of the manifest.
    expect(await world.manager.log()).not.toContain('Forbidden');
  },
);

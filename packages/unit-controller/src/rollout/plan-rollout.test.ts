import type { UnitAppRollout } from '@selvedge/api';
import { describe, expect, test } from 'vitest';
import {
  type World,
  inWave,
  planFor,
  reach,
  remember,
  revisionsIn,
  settle,
  shop,
  stateOf,
  turn,
  worldOf,
} from './testing.ts';

const minute = 60_000;

/** How many units of each wave the wanted revision has come to. */
const brought = (world: World): readonly number[] => {
  const waves = [0, 1, 2].map((place) => inWave(world, place));
  const steps = world.done.filter(({ revision }) => revision === world.wanted);
  return waves.map((names) => steps.filter(({ unit }) => names.includes(unit)).length);
};

/** Ten shops that have the first revision, and three waves: one shop, five, all. */
function running(rollout: UnitAppRollout = {}, change: Partial<World> = {}): World {
  const waves = [
    { name: 'one', percentage: 10 },
    { name: 'half', percentage: 50 },
  ];
  const world = worldOf(10, { rollout: { waves, maxUnavailableUnits: '100%', ...rollout }, ...change });
  settle(world);
  world.done.length = 0;
  return world;
}

describe('a rollout', () => {
  test('brings a good revision to all, wave after wave, each watched for its time', () => {
    const world = running({ bakeSeconds: 600 });
    const begun = world.nowMs;
    world.wanted = 2;
    const sizes: number[] = [];
    for (let round = 0; round < 3; round += 1) {
      reach(world, 'Baking');
      sizes.push(world.done.length);
      expect(planFor(world).againMs).toBe(begun + (round + 1) * 10 * minute);
      world.nowMs += 10 * minute;
      remember(world, planFor(world));
    }
    expect(sizes).toEqual([1, 5, 10]);
    expect(world.status).toMatchObject({
      currentRevision: 2,
      updateRevision: 2,
      rollout: { state: 'Done', revision: 2 },
      totals: { units: 10, updated: 10, healthy: 10, waiting: 0, failed: 0 },
    });
  });

  test('stops a bad revision at its first wave', () => {
    const world = running({}, { bad: new Set([2]) });
    world.wanted = 2;
    settle(world);
    expect(stateOf(world)).toBe('Stopped');
    expect(world.status?.rollout?.message).toMatch(/^1 failed: shop-\d+: 0 of 2 pods available$/);
    expect(brought(world)).toEqual([1, 0, 0]);
  });

  test('takes a bad revision back, and does not try it again until another one was wanted', () => {
    const world = running({ onFailure: 'rollback' }, { bad: new Set([2]) });
    world.wanted = 2;
    settle(world);
    expect(stateOf(world)).toBe('RolledBack');
    expect(revisionsIn(world)).toEqual(Array.from({ length: 10 }, () => 1));
    expect(world.status).toMatchObject({ currentRevision: 1, updateRevision: 2, totals: { updated: 0 } });
    world.isSpecNew = true;
    settle(world);
    expect(world.done).toHaveLength(2);
    world.wanted = 3;
    settle(world);
    expect(revisionsIn(world)).toEqual(Array.from({ length: 10 }, () => 3));
  });

  test('has nothing to go back to the first time', () => {
    const world = worldOf(4, { rollout: { onFailure: 'rollback' }, bad: new Set([1]) });
    settle(world);
    expect([stateOf(world), revisionsIn(world).filter((one) => one === 1).length]).toEqual(['Stopped', 1]);
  });

  test('goes on where it was stopped once the UnitApp bears what failed', () => {
    const world = running();
    world.wanted = 2;
    const [canary = ''] = inWave(world, 0);
    const broken = world.shops.get(canary) ?? shop();
    broken.isBroken = true;
    settle(world);
    expect(stateOf(world)).toBe('Stopped');
    Object.assign(world, { isSpecNew: true, rollout: { ...world.rollout, maxFailedUnits: 1 } });
    settle(world);
    expect(world.status).toMatchObject({ rollout: { state: 'Done' }, totals: { updated: 10, failed: 1 } });
  });

  test('goes to the newest revision when one comes in the middle, first to its first wave', () => {
    const world = running({}, { bad: new Set([2]) });
    world.wanted = 2;
    settle(world);
    world.wanted = 3;
    remember(world, planFor(world));
    expect(planFor(world).steps).toEqual([{ unit: inWave(world, 0)[0], revision: 3 }]);
    settle(world);
    expect([stateOf(world), ...new Set(revisionsIn(world))]).toEqual(['Done', 3]);
  });

  test('goes back at once to what all had', () => {
    const world = running({}, { bad: new Set([2]) });
    world.wanted = 2;
    settle(world);
    world.wanted = 1;
    remember(world, planFor(world));
    expect(planFor(world).steps).toEqual([{ unit: inWave(world, 0)[0], revision: 1 }]);
    settle(world);
    expect([stateOf(world), ...new Set(revisionsIn(world))]).toEqual(['Done', 1]);
  });

  test('goes back by hand though units are broken for another reason', () => {
    const world = running();
    world.wanted = 2;
    settle(world);
    world.rollout = { ...world.rollout, maxUnavailableUnits: 1 };
    world.wanted = 3;
    reach(world, 'Baking');
    const [broken = ''] = inWave(world, 2);
    for (const name of [broken, ...inWave(world, 0)])
      Object.assign(world.shops.get(name) ?? {}, { isBroken: true });
    world.wanted = 2;
    settle(world);
    expect([stateOf(world), ...new Set(revisionsIn(world))]).toEqual(['Done', 2]);
  });

  test('does nothing while it is paused, and then goes on', () => {
    const world = running({ pause: true });
    world.wanted = 2;
    settle(world);
    expect([stateOf(world), world.done.length]).toEqual(['Paused', 0]);
    world.rollout = { ...world.rollout, pause: false };
    settle(world);
    expect([stateOf(world), world.done.length]).toEqual(['Done', 10]);
  });

  test('waits for the maintenance window of a unit, and not where windows are ignored', () => {
    const world = running();
    const [canary = ''] = inWave(world, 0);
    const closed = world.shops.get(canary) ?? shop();
    closed.opensMs = world.nowMs + 180 * minute;
    world.wanted = 2;
    remember(world, planFor(world));
    expect(planFor(world)).toMatchObject({ steps: [], againMs: closed.opensMs });
    const ignoring = { ...world, rollout: { ...world.rollout, maintenanceWindows: 'ignore' } } as const;
    expect(planFor(ignoring).steps).toEqual([{ unit: canary, revision: 2 }]);
    settle(world);
    expect(stateOf(world)).toBe('Done');
    expect(world.nowMs).toBeGreaterThanOrEqual(closed.opensMs);
  });

  test('leaves a unit without a link alone; it catches up when it is back', () => {
    const world = running();
    const [canary = ''] = inWave(world, 0);
    const cut = world.shops.get(canary) ?? shop();
    cut.isConnected = false;
    world.wanted = 2;
    settle(world);
    expect([stateOf(world), cut.revision, world.status?.totals?.offline]).toEqual(['Done', 1, 1]);
    cut.isConnected = true;
    const [step, ...others] = planFor(world).steps;
    expect([step, others]).toEqual([{ unit: canary, revision: 2 }, []]);
    settle(world);
    expect(world.status?.totals).toMatchObject({ updated: 10, healthy: 10, offline: 0 });
  });

  test('knows nothing of a revision while no unit has a link', () => {
    const world = running();
    for (const one of world.shops.values()) one.isConnected = false;
    world.wanted = 2;
    settle(world);
    expect([stateOf(world), world.status?.currentRevision]).toEqual(['Progressing', 1]);
  });

  test('is not stopped by a unit of which a node is cut, and waits until it has shown something', () => {
    const world = running();
    const [canary = ''] = inWave(world, 0);
    const cut = world.shops.get(canary) ?? shop();
    Object.assign(cut, { isCutInPart: true, isBroken: true });
    world.wanted = 2;
    settle(world);
    const why = `${canary}: 0 of 2 pods available; one of its nodes has no link`;
    expect(world.status?.rollout).toMatchObject({
      state: 'Progressing',
      message: `no unit of the wave can show it: ${why}`,
    });
    cut.isCutInPart = false;
    world.nowMs += 60 * minute;
    remember(world, planFor(world));
    expect(world.status).toMatchObject({ rollout: { state: 'Progressing' }, totals: { updating: 1 } });
    cut.isBroken = false;
    settle(world);
    expect(world.status).toMatchObject({ rollout: { state: 'Done' }, totals: { updated: 10, healthy: 10 } });
  });

  test('gives a unit that is new what the others have, and its turn when it comes', () => {
    const world = running({}, { bad: new Set([2]) });
    world.wanted = 2;
    settle(world);
    world.shops.set('shop-new', shop());
    settle(world);
    expect(world.shops.get('shop-new')?.revision).toBe(1);
    world.wanted = 3;
    settle(world);
    expect(world.shops.get('shop-new')?.revision).toBe(3);
  });

  test('watches a wave anew when a unit of it breaks', () => {
    const world = running({ bakeSeconds: 600 });
    world.wanted = 2;
    reach(world, 'Baking');
    const broken = world.shops.get(inWave(world, 0)[0] ?? '') ?? shop();
    world.nowMs += 9 * minute;
    broken.isBroken = true;
    remember(world, planFor(world));
    expect(world.status).toMatchObject({ rollout: { state: 'Progressing' }, totals: { unhealthy: 1 } });
    broken.isBroken = false;
    for (let round = 0; round < 2; round += 1) remember(world, planFor(world));
    expect([stateOf(world), planFor(world).againMs]).toEqual(['Baking', world.nowMs + 10 * minute]);
  });

  test('takes a unit that does not work back at once, one that works when its window opens', () => {
    const world = running({ onFailure: 'rollback', waves: [] }, { bad: new Set([2]) });
    world.wanted = 2;
    const closedTill = world.nowMs + 600 * minute;
    const works = world.shops.get('shop-3') ?? shop();
    works.isExempt = true;
    for (let round = 0; round < 3; round += 1) turn(world);
    for (const one of world.shops.values()) one.opensMs = closedTill;
    world.nowMs += 10 * minute;
    for (let round = 0; round < 3; round += 1) turn(world);
    expect(stateOf(world)).toBe('RollingBack');
    expect(works.revision).toBe(2);
    expect(new Set(revisionsIn(world))).toEqual(new Set([1, 2]));
    expect(revisionsIn(world).filter((one) => one === 1)).toHaveLength(9);
    settle(world);
    expect([stateOf(world), works.revision]).toEqual(['RolledBack', 1]);
    expect(world.nowMs).toBeGreaterThanOrEqual(closedTill);
  });

  test('passes a unit that cannot have the revision, and shows why', () => {
    const world = running();
    const [, other = ''] = inWave(world, 1);
    const without = world.shops.get(other) ?? shop();
    without.problem = 'no label region';
    world.wanted = 2;
    settle(world);
    expect([stateOf(world), without.revision]).toEqual(['Done', 1]);
    const shown = world.status?.units?.find(({ name }) => name === other);
    expect(shown).toMatchObject({ state: 'Waiting', revision: 1, message: 'no label region' });
  });

  test('is held by a wave of which no unit can have the revision', () => {
    const world = running();
    const [canary = ''] = inWave(world, 0);
    const without = world.shops.get(canary) ?? shop();
    without.problem = 'no label region';
    world.wanted = 2;
    settle(world);
    const message = `no unit of the wave can show it: ${canary}: no label region`;
    expect(world.status).toMatchObject({ currentRevision: 1, rollout: { state: 'Progressing', message } });
    expect(world.done).toEqual([]);
    delete without.problem;
    settle(world);
    expect(world.status).toMatchObject({ currentRevision: 2, rollout: { state: 'Done' } });
    expect(world.status?.rollout?.message).toBeUndefined();
  });
});

import type { UnitAppRollout, UnitAppUnit } from '@selvedge/api';
import { describe, expect, test } from 'vitest';
import {
  type Shop,
  type World,
  inWave,
  planFor,
  reach,
  remember,
  run,
  settle,
  shop,
  stateOf,
  turn,
  worldOf,
} from './testing.ts';

const minute = 60_000;
const metric = { url: 'http://metrics/{{unit.name}}', field: '/value', atLeast: '1' };
const measured: UnitAppRollout = { healthGate: { metric }, bakeSeconds: 600 };
const good = { kind: 'number', text: '1' } as const;
const bad = { kind: 'number', text: '0.5' } as const;

const there = (world: World, name: string): Shop => world.shops.get(name) ?? shop();
const shown = (world: World, name: string): UnitAppUnit | undefined =>
  world.status?.units?.find((unit) => unit.name === name);

/** Ten shops that have the first revision, in two waves: one shop, all. */
function running(rollout: UnitAppRollout = {}, change: Partial<World> = {}): World {
  const world = worldOf(10, { ...change });
  settle(world);
  world.done.length = 0;
  world.asked.length = 0;
  const waves = [{ name: 'one', percentage: 10 }];
  world.rollout = { waves, maxUnavailableUnits: '100%', ...rollout };
  return world;
}

const plan = (world: World): void => remember(world, planFor(world));

describe('what is remembered', () => {
  test('is the same while nothing changes but the time', () => {
    const world = running({ bakeSeconds: 3_600 });
    world.wanted = 2;
    const cut = there(world, inWave(world, 1)[0] ?? '');
    cut.isConnected = false;
    reach(world, 'Baking');
    const { status } = world;
    world.nowMs += 59 * minute;
    expect(planFor(world).status).toEqual(status);
    world.nowMs += minute;
    expect(planFor(world).status).not.toEqual(status);
  });

  test('says since when a unit is in its state with its revision', () => {
    const world = running();
    const [canary = ''] = inWave(world, 0);
    const healthySince = shown(world, canary)?.since;
    world.wanted = 2;
    world.nowMs += minute;
    plan(world);
    const waitingSince = shown(world, canary)?.since;
    expect(waitingSince).toBe(new Date(world.nowMs).toISOString().replace('.000Z', 'Z'));
    expect(waitingSince).not.toBe(healthySince);
    world.nowMs += minute;
    turn(world);
    expect(shown(world, canary)).toMatchObject({ state: 'Waiting', revision: 1, since: waitingSince });
    plan(world);
    expect(shown(world, canary)?.since).not.toBe(waitingSince);
  });

  test('is the last revision that a unit was healthy with, over a cut and a wait', () => {
    const world = running();
    const [canary = ''] = inWave(world, 0);
    const cut = there(world, canary);
    cut.isConnected = false;
    plan(world);
    expect(shown(world, canary)).toMatchObject({ state: 'Offline', healthyRevision: 1 });
    Object.assign(cut, { isConnected: true, isBroken: true });
    world.wanted = 2;
    for (let round = 0; round < 3; round += 1) turn(world);
    expect(shown(world, canary)).toMatchObject({ state: 'Updating', revision: 2, healthyRevision: 1 });
    cut.isBroken = false;
    plan(world);
    expect(shown(world, canary)).toMatchObject({ state: 'Healthy', healthyRevision: 2 });
  });
});

describe('a rollout that is done', () => {
  test('is not undone by units that break, nor do these hold those that come late', () => {
    for (const onFailure of ['stop', 'rollback'] as const) {
      const world = running({ onFailure, maxUnavailableUnits: 1 });
      const late = there(world, 'shop-3');
      late.isConnected = false;
      world.wanted = 2;
      settle(world);
      for (const name of ['shop-1', 'shop-2', 'shop-4']) there(world, name).isBroken = true;
      plan(world);
      world.nowMs += 24 * 60 * minute;
      settle(world);
      expect(world.status).toMatchObject({
        rollout: { state: 'Done' },
        totals: { unhealthy: 3, failed: 0, healthy: 6 },
      });
      late.isConnected = true;
      settle(world);
      expect([stateOf(world), late.revision, late.running]).toEqual(['Done', 2, 2]);
    }
  });

  test('holds late units back when one of them has failed', () => {
    const world = running({ maxUnavailableUnits: 1 }, { bad: new Set([2]) });
    const late = ['shop-3', 'shop-5'].map((name) => there(world, name));
    for (const one of late) one.isConnected = false;
    for (const one of world.shops.values()) one.isExempt = !late.includes(one);
    world.wanted = 2;
    settle(world);
    for (const one of late) one.isConnected = true;
    settle(world);
    expect([stateOf(world), late.map(({ revision }) => revision)]).toEqual(['Done', [2, 1]]);
    expect(world.status?.totals).toMatchObject({ failed: 1, waiting: 1 });
  });

  test('does not count restarts, nor ask for metrics, of what was healthy', () => {
    const world = running(measured);
    for (const one of world.shops.values()) one.metric = good;
    world.wanted = 2;
    settle(world);
    world.asked.length = 0;
    for (const one of world.shops.values()) Object.assign(one, { restarts: 99, metric: bad });
    const cut = there(world, 'shop-1');
    cut.isConnected = false;
    plan(world);
    cut.isConnected = true;
    settle(world);
    expect(world.status?.totals).toMatchObject({ healthy: 10, failed: 0, unhealthy: 0 });
    expect([planFor(world).againMs, world.asked]).toEqual([undefined, []]);
  });

  test('knows nothing good of a unit that it does not remember', () => {
    const world = running();
    there(world, 'shop-3').isBroken = true;
    const { units = [], ...status } = world.status ?? {};
    world.status = { ...status, units: units.filter(({ name }) => name !== 'shop-3') };
    plan(world);
    expect(shown(world, 'shop-3')?.state).toBe('Updating');
  });

  test('of more units than are shown is the same', () => {
    const world = worldOf(1_200, { rollout: { ...measured, bakeSeconds: 0 } });
    for (const one of world.shops.values()) one.metric = good;
    settle(world);
    world.asked.length = 0;
    there(world, 'shop-7').isBroken = true;
    there(world, 'shop-999').isBroken = true;
    const late = shop({ restarts: 9 });
    world.shops.set('shop-late', late);
    plan(world);
    Object.assign(late, { revision: 1, running: 1 });
    world.nowMs += 24 * 60 * minute;
    plan(world);
    expect(world.status).toMatchObject({
      rollout: { state: 'Done' },
      totals: { units: 1_201, healthy: 1_198, unhealthy: 2, failed: 1, updating: 0 },
    });
    expect(world.status?.units).toHaveLength(1_000);
    expect([planFor(world).againMs, world.asked]).toEqual([undefined, []]);
  });
});

describe('a plan', () => {
  test('is the same in whatever order units are told', () => {
    const world = running({ waves: [], maxUnavailableUnits: 3 });
    world.wanted = 2;
    plan(world);
    const other = { ...world, shops: new Map(Array.from(world.shops).toReversed()) };
    expect(planFor(other)).toEqual(planFor(world));
    expect(planFor(world).steps).toHaveLength(3);
  });
});

describe('a rollout that moves', () => {
  test('does nothing before that is written', () => {
    const world = running({ bakeSeconds: 600 });
    world.wanted = 2;
    const step = (): number => planFor(world).steps.length;
    expect(step()).toBe(0);
    plan(world);
    expect(step()).toBe(1);
    reach(world, 'Baking');
    world.nowMs += 10 * minute;
    expect(step()).toBe(0);
    plan(world);
    expect(step()).toBe(9);
  });
});

describe('the next look', () => {
  test('is never now, and comes when a unit fails or a window opens', () => {
    const world = running({ waves: [], maxUnavailableUnits: 1, unitDeadlineSeconds: 60 });
    for (const one of world.shops.values()) one.opensMs = world.nowMs;
    world.wanted = 2;
    plan(world);
    expect(planFor(world).againMs).toBe(undefined);
    turn(world);
    for (const one of world.shops.values()) one.isBroken = true;
    plan(world);
    expect(planFor(world).againMs).toBe(world.nowMs + minute);
    there(world, 'shop-9').opensMs = world.nowMs + minute / 2;
    expect(planFor(world).againMs).toBe(world.nowMs + minute / 2);
  });
});

describe('restarts', () => {
  test('fail a unit at once, though its pods are available', () => {
    const world = running();
    const [canary = ''] = inWave(world, 0);
    there(world, canary).restarts = 4;
    world.wanted = 2;
    settle(world);
    expect(stateOf(world)).toBe('Stopped');
    expect(shown(world, canary)).toMatchObject({ state: 'Failed', message: '4 restarts, more than 3' });
  });

  test('of what a unit had before are not counted', () => {
    const world = running();
    for (const one of world.shops.values()) one.restarts = 9;
    plan(world);
    expect(world.status?.totals).toMatchObject({ healthy: 10, failed: 0 });
  });
});

describe('a metric', () => {
  test('is asked of units whose wave is on trial only, again and again', () => {
    const world = running(measured);
    const [canary = '', ...none] = inWave(world, 0);
    expect(none).toEqual([]);
    for (const one of world.shops.values()) one.metric = good;
    plan(world);
    expect(world.asked).toEqual([]);
    world.wanted = 2;
    reach(world, 'Baking');
    expect(new Set(world.asked)).toEqual(new Set([canary]));
    expect(planFor(world).againMs).toBe(world.nowMs + minute / 2);
    world.nowMs += 10 * minute;
    plan(world);
    world.asked.length = 0;
    turn(world);
    plan(world);
    expect(world.asked).not.toContain(canary);
    expect(new Set(world.asked).size).toBe(9);
  });

  test('that is out of bounds holds its wave, and fails the unit when its time is over', () => {
    const world = running(measured);
    const [canary = ''] = inWave(world, 0);
    const one = there(world, canary);
    one.metric = bad;
    world.wanted = 2;
    for (let round = 0; round < 3; round += 1) turn(world);
    const why = 'the metric is 0.5, less than 1';
    expect(shown(world, canary)).toMatchObject({ state: 'Updating', message: why });
    expect(planFor(world).againMs).toBe(world.nowMs + minute / 2);
    one.metric = good;
    plan(world);
    expect(shown(world, canary)?.state).toBe('Healthy');
    one.metric = bad;
    plan(world);
    expect([stateOf(world), shown(world, canary)?.state]).toEqual(['Progressing', 'Unhealthy']);
    world.nowMs += 10 * minute;
    plan(world);
    expect(stateOf(world)).toBe('Stopped');
    expect(shown(world, canary)).toMatchObject({ state: 'Failed', message: why });
  });

  test('that nobody tells leaves the unit on its way, with a reason, until its time is over', () => {
    const world = running({ ...measured, onFailure: 'rollback' });
    const [canary = ''] = inWave(world, 0);
    there(world, canary).metric = { kind: 'unknown', why: 'it answered 503' };
    world.wanted = 2;
    for (let round = 0; round < 3; round += 1) turn(world);
    world.nowMs += 10 * minute - 1;
    plan(world);
    expect(planFor(world).againMs).toBe(world.nowMs + 1);
    const message = 'the metric is not known: it answered 503';
    expect(shown(world, canary)).toMatchObject({ state: 'Updating', message });
    world.nowMs += 1;
    plan(world);
    expect(world.status?.rollout).toMatchObject({
      state: 'RollingBack',
      message: `1 failed: ${canary}: ${message}`,
    });
    world.asked.length = 0;
    settle(world);
    expect([stateOf(world), there(world, canary).revision]).toEqual(['RolledBack', 1]);
    expect(world.asked).toEqual([]);
  });

  test('that is not known yet, as after a change of the leader, takes nothing back', () => {
    const world = running(measured);
    const [canary = ''] = inWave(world, 0);
    const one = there(world, canary);
    world.wanted = 2;
    for (let round = 0; round < 3; round += 1) turn(world);
    expect(shown(world, canary)).toMatchObject({ state: 'Updating', message: 'the metric is not known yet' });
    one.metric = good;
    reach(world, 'Baking');
    delete one.metric;
    const { status } = world;
    plan(world);
    expect(world.status).toEqual(status);
  });
});

describe('a rollout that was stopped', () => {
  test.each([
    ['stand in a later wave', (): number => 0],
    ['have no window till later', ({ nowMs }: World): number => nowMs + 24 * 60 * minute],
  ])('does not keep the next one from units that work, where those that it broke %s', (_, opensIn) => {
    const world = running({ maxUnavailableUnits: 1 }, { bad: new Set([2]) });
    const [canary = ''] = inWave(world, 0);
    there(world, canary).isExempt = true;
    world.wanted = 2;
    settle(world);
    expect(stateOf(world)).toBe('Stopped');
    const broken = Array.from(world.shops.values()).filter((one) => one.revision === 2 && !one.isExempt);
    expect(broken).toHaveLength(1);
    for (const one of broken) one.opensMs = opensIn(world);
    world.wanted = 3;
    plan(world);
    expect(planFor(world).steps).toEqual([{ unit: canary, revision: 3 }]);
    settle(world);
    expect(world.status).toMatchObject({ rollout: { state: 'Done' }, totals: { updated: 10, healthy: 10 } });
  });

  test('gives units that failed their time again when the UnitApp is changed', () => {
    const world = running({ unitDeadlineSeconds: 60 });
    const [canary = ''] = inWave(world, 0);
    const slow = there(world, canary);
    slow.isBroken = true;
    world.wanted = 2;
    settle(world);
    expect(stateOf(world)).toBe('Stopped');
    const stopped = { ...world };
    world.nowMs += 60 * minute;
    Object.assign(world, { isSpecNew: true, rollout: { ...world.rollout, unitDeadlineSeconds: 600 } });
    plan(world);
    expect([stateOf(world), shown(world, canary)?.state]).toEqual(['Progressing', 'Updating']);
    const others = (of: World) => of.status?.units?.filter(({ name }) => name !== canary);
    expect(others(world)).toEqual(others(stopped));
    world.nowMs += 9 * minute;
    plan(world);
    expect(stateOf(world)).toBe('Progressing');
    slow.isBroken = false;
    run(world);
    settle(world);
    expect(world.status).toMatchObject({ rollout: { state: 'Done' }, totals: { updated: 10, failed: 0 } });
  });

  test('is what gives it to them: what failed and is borne stays so', () => {
    const world = running({ maxFailedUnits: 1, bakeSeconds: 3_600 });
    const [canary = ''] = inWave(world, 0);
    there(world, canary).isBroken = true;
    world.wanted = 2;
    for (let round = 0; round < 3; round += 1) turn(world);
    world.nowMs += 10 * minute;
    plan(world);
    expect(shown(world, canary)?.state).toBe('Failed');
    world.isSpecNew = true;
    plan(world);
    expect(shown(world, canary)?.state).toBe('Failed');
  });

  test('goes on from nothing else: not when the unit works again, nor when time passes', () => {
    const world = running();
    const [canary = ''] = inWave(world, 0);
    const broken = there(world, canary);
    broken.isBroken = true;
    world.wanted = 2;
    settle(world);
    broken.isBroken = false;
    world.nowMs += 24 * 60 * minute;
    settle(world);
    expect([stateOf(world), shown(world, canary)?.state]).toEqual(['Stopped', 'Healthy']);
    expect(world.done).toHaveLength(1);
  });
});

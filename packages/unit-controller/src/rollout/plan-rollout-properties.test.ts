import { fc, test as property } from '@fast-check/vitest';
import type { UnitAppRollout } from '@selvedge/api';
import { expect } from 'vitest';
import type { RolloutPlan } from './plan-rollout.ts';
import { budgetOf } from './steps.ts';
import {
  type World,
  inWave,
  planFor,
  remember,
  revisionsIn,
  run,
  settle,
  stateOf,
  take,
  worldOf,
} from './testing.ts';

const revision = fc.integer({ min: 1, max: 3 });
const rollouts: fc.Arbitrary<UnitAppRollout> = fc.record({
  waves: fc
    .uniqueArray(fc.integer({ min: 1, max: 100 }), { maxLength: 3 })
    .map((shares) => shares.toSorted((one, other) => one - other))
    .map((shares) => shares.map((percentage) => ({ name: `upto-${percentage}`, percentage }))),
  maxUnavailableUnits: fc.oneof(fc.integer({ min: 1, max: 4 }), fc.constantFrom('10%', '50%')),
  bakeSeconds: fc.constantFrom(0, 60),
  onFailure: fc.constantFrom('stop', 'rollback'),
});

type Event =
  | { readonly kind: 'plan'; readonly isKilled: boolean; readonly steps: number }
  | { readonly kind: 'run' }
  | { readonly kind: 'wait'; readonly seconds: number }
  | { readonly kind: 'link'; readonly unit: number; readonly isConnected: boolean }
  | { readonly kind: 'want'; readonly revision: number };

const event: fc.Arbitrary<Event> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('plan' as const),
      isKilled: fc.boolean(),
      steps: fc.integer({ min: 0, max: 12 }),
    }),
  },
  { weight: 3, arbitrary: fc.constant({ kind: 'run' as const }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('wait' as const), seconds: fc.nat(700) }) },
  fc.record({ kind: fc.constant('link' as const), unit: fc.nat(9), isConnected: fc.boolean() }),
  fc.record({ kind: fc.constant('want' as const), revision }),
);
const events = fc.array(event, { maxLength: 40 });

/** Units with a link that do not work, those aside that have what there was before. */
function underWay({ shops, status, bad }: World): ReadonlySet<string> {
  const { currentRevision = 0, rollout } = status ?? {};
  const isBack = rollout?.state === 'RollingBack' || rollout?.state === 'RolledBack';
  const target = isBack ? currentRevision : rollout?.revision;
  const names = Array.from(shops).flatMap(([name, { isConnected, revision: has, running: runs }]) => {
    const isWorking = has === undefined || (runs === has && !bad.has(has));
    return isConnected && !isWorking && (has !== currentRevision || has === target) ? [name] : [];
  });
  return new Set(names);
}

/** Steps that take a unit out of service, where none has failed. */
function expectWithinBudget(world: World, { status, steps }: RolloutPlan): void {
  const before = underWay(world);
  const isNew = (unit: string): boolean => world.shops.get(unit)?.revision === undefined;
  const taken = steps.filter(({ unit, revision: to }) => {
    const isNewcomer = isNew(unit) && to === world.status?.currentRevision;
    return !before.has(unit) && !isNewcomer;
  });
  if (taken.length === 0 || status.totals?.failed !== 0) return;
  expect(before.size + taken.length).toBeLessThanOrEqual(budgetOf(world.rollout, world.shops.size));
}

/** Of a plan all, or so many steps before a kill and nothing written. */
function planned(world: World, one: Extract<Event, { kind: 'plan' }>): void {
  const plan = planFor(world);
  expectWithinBudget(world, plan);
  if (!one.isKilled) remember(world, plan);
  for (const step of plan.steps.slice(0, one.isKilled ? one.steps : plan.steps.length)) take(world, step);
}

function live(world: World, one: Event): void {
  if (one.kind === 'plan') planned(world, one);
  if (one.kind === 'run') run(world);
  if (one.kind === 'wait') world.nowMs += one.seconds * 1_000;
  if (one.kind === 'want') world.wanted = one.revision;
  if (one.kind !== 'link') return;
  const there = world.shops.get(`shop-${one.unit}`);
  if (there !== undefined) there.isConnected = one.isConnected;
}

property.prop([rollouts, events, revision], { numRuns: 60 })(
  'whatever happens, brings what is wanted to all that have a link, and then plans nothing',
  (rollout, history, wanted) => {
    const world = worldOf(10, { rollout });
    for (const one of history) live(world, one);
    for (const there of world.shops.values()) there.isConnected = true;
    // Another one than before: what had stopped the rollout is not to stop this one.
    world.wanted = wanted + 3;
    settle(world);
    expect([stateOf(world), ...new Set(revisionsIn(world))]).toEqual(['Done', wanted + 3]);
    expect(world.status?.currentRevision).toBe(wanted + 3);
    const again = planFor(world);
    expect(again.steps).toEqual([]);
    expect(again.status).toEqual(world.status);
  },
);

const undisturbed = fc.array(
  event.filter(({ kind }) => kind === 'plan' || kind === 'run' || kind === 'wait'),
  { maxLength: 60 },
);

property.prop([rollouts, undisturbed], { numRuns: 60 })(
  'never brings a bad revision past its wave, nor does a step twice, whenever it is killed',
  (rollout, history) => {
    const world = worldOf(10, { rollout, bad: new Set([2]) });
    settle(world);
    world.done.length = 0;
    world.wanted = 2;
    for (const one of history) live(world, one);
    settle(world);
    const first = inWave(world, 0);
    const brought = world.done.filter((step) => step.revision === 2).map(({ unit }) => unit);
    expect(brought.length).toBeGreaterThan(0);
    expect(brought.filter((unit) => !first.includes(unit))).toEqual([]);
    expect(brought.length).toBeLessThanOrEqual(budgetOf(rollout, 10));
    const steps = world.done.map(({ unit, revision: to }) => `${unit} ${to}`);
    expect(new Set(steps).size).toBe(steps.length);
    expect(stateOf(world)).toBe(rollout.onFailure === 'rollback' ? 'RolledBack' : 'Stopped');
  },
);

property.prop([rollouts, fc.uniqueArray(fc.nat(9))], { numRuns: 30 })(
  'ends in the same in whatever order units are seen to run',
  (rollout, order) => {
    const world = worldOf(10, { rollout: { ...rollout, unitDeadlineSeconds: 86_400 } });
    settle(world);
    world.wanted = 2;
    const names = order.map((number) => `shop-${number}`);
    for (const name of [...names, ...world.shops.keys()]) {
      live(world, { kind: 'plan', isKilled: false, steps: 0 });
      const seen = world.shops.get(name);
      if (seen !== undefined) seen.running = seen.revision;
    }
    settle(world);
    expect(world.status?.totals).toMatchObject({ units: 10, updated: 10, healthy: 10, waiting: 0 });
    expect([stateOf(world), world.done.length]).toEqual(['Done', 20]);
  },
);

import { fc, test as property } from '@fast-check/vitest';
import type { UnitAppRollout } from '@selvedge/api';
import { expect } from 'vitest';
import type { RolloutPlan } from './plan-rollout.ts';
import { type RolloutStep, budgetOf } from './steps.ts';
import {
  type Shop,
  type World,
  inWave,
  planFor,
  remember,
  revisionsIn,
  run,
  settle,
  shop,
  stateOf,
  take,
  worldOf,
} from './testing.ts';

const minute = 60_000;
const units = 8;
const revision = fc.integer({ min: 1, max: 3 });
const shares = fc
  .uniqueArray(fc.integer({ min: 1, max: 100 }), { maxLength: 2 })
  .map((all) => all.toSorted((one, other) => one - other))
  .map((all) => all.map((percentage) => ({ name: `upto-${percentage}`, percentage })));
const gold = { name: 'gold', unitSelector: { matchLabels: { tier: 'gold' } } };
const rollouts: fc.Arbitrary<UnitAppRollout> = fc.record({
  waves: fc.tuple(fc.boolean(), shares).map(([isFirst, all]) => (isFirst ? [gold, ...all] : all)),
  maxUnavailableUnits: fc.oneof(fc.integer({ min: 1, max: 4 }), fc.constantFrom('10%', '50%')),
  bakeSeconds: fc.constantFrom(0, 60),
  maxFailedUnits: fc.constantFrom(0, 0, 2),
  onFailure: fc.constantFrom('stop', 'rollback'),
});

type Change =
  | { readonly kind: 'link'; readonly isConnected: boolean }
  | { readonly kind: 'cut'; readonly isCutInPart: boolean }
  | { readonly kind: 'break'; readonly isBroken: boolean }
  | { readonly kind: 'restarts'; readonly restarts: number }
  | { readonly kind: 'label'; readonly tier: string }
  | { readonly kind: 'window'; readonly minutes: number };
type Event =
  | { readonly kind: 'plan'; readonly isKilled: boolean; readonly steps: number }
  | { readonly kind: 'run' }
  | { readonly kind: 'wait'; readonly seconds: number }
  | { readonly kind: 'want'; readonly revision: number }
  | { readonly kind: 'spec'; readonly rollout: UnitAppRollout; readonly pause: boolean }
  | { readonly kind: 'unit'; readonly unit: number; readonly change: Change };

const flag = fc.boolean();
const change: fc.Arbitrary<Change> = fc.oneof(
  fc.record({ kind: fc.constant('link' as const), isConnected: flag }),
  fc.record({ kind: fc.constant('cut' as const), isCutInPart: flag }),
  fc.record({ kind: fc.constant('break' as const), isBroken: flag }),
  fc.record({ kind: fc.constant('restarts' as const), restarts: fc.constantFrom(0, 9) }),
  fc.record({ kind: fc.constant('label' as const), tier: fc.constantFrom('gold', 'silver') }),
  fc.record({ kind: fc.constant('window' as const), minutes: fc.constantFrom(0, 5, 60) }),
);
const plan = fc.record({
  kind: fc.constant('plan' as const),
  isKilled: flag,
  steps: fc.integer({ min: 0, max: 12 }),
});
const running = fc.constant({ kind: 'run' as const });
const wait = fc.record({ kind: fc.constant('wait' as const), seconds: fc.nat(700) });
const event: fc.Arbitrary<Event> = fc.oneof(
  { weight: 6, arbitrary: plan },
  { weight: 3, arbitrary: running },
  { weight: 2, arbitrary: wait },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('unit' as const), unit: fc.nat(units - 1), change }),
  },
  fc.record({ kind: fc.constant('want' as const), revision }),
  fc.record({ kind: fc.constant('spec' as const), rollout: rollouts, pause: flag }),
);
const events = fc.array(event, { maxLength: 50 });

const isWorking = ({ bad }: World, { revision: has, running: runs, isBroken, isExempt }: Shop): boolean =>
  has !== undefined && runs === has && !isBroken && (isExempt === true || !bad.has(has));

/** Units with a link that a rollout has taken out of service: those that have what there was before are not among them. */
function takenOut(world: World): ReadonlySet<string> {
  const { currentRevision = 0 } = world.status ?? {};
  const names = Array.from(world.shops).flatMap(([name, seen]) => {
    const isOut = seen.revision !== undefined && !isWorking(world, seen);
    return seen.isConnected && isOut && seen.revision !== currentRevision ? [name] : [];
  });
  return new Set(names);
}

/** What the status says of a unit before the steps. */
const saidOf = ({ status }: RolloutPlan, name: string): string | undefined =>
  status.units?.find((unit) => unit.name === name)?.state;

/** It has failed, or was broken by another revision and it is not its turn. */
const isAside = (made: RolloutPlan, name: string): boolean => {
  const said = saidOf(made, name);
  return said === 'Failed' || (said === 'Waiting' && !made.steps.some(({ unit }) => unit === name));
};

/** As many are on their way as may be, those aside that it does not have under way. */
function expectWithinBudget(world: World, made: RolloutPlan): void {
  const before = Array.from(takenOut(world)).filter((name) => !isAside(made, name));
  const { currentRevision } = world.status ?? {};
  const taken = made.steps.filter(({ unit, revision: to }) => {
    const isNew = world.shops.get(unit)?.revision === undefined;
    return !before.includes(unit) && !(isNew && to === currentRevision);
  });
  // What was out already may be more: units came back from a cut.
  const most = Math.max(budgetOf(world.rollout, world.shops.size), before.length);
  expect(before.length + taken.length).toBeLessThanOrEqual(most);
}

/** It is in its window, or is taken back from what does not work. */
function mayBeTouched(world: World, seen: Shop, state: string | undefined): boolean {
  const { opensMs = Infinity, restarts = 0 } = seen;
  if (opensMs <= world.nowMs) return true;
  const isBack = state === 'RollingBack' || state === 'RolledBack';
  return isBack && (!isWorking(world, seen) || restarts > 3);
}

/** Who has no link, or is out of his window, is left alone; nothing comes that nobody wants. */
function expectAllowed(world: World, { status }: RolloutPlan, { unit, revision: to }: RolloutStep): void {
  const seen = world.shops.get(unit) ?? shop({ isConnected: false });
  expect([seen.isConnected, mayBeTouched(world, seen, status.rollout?.state)]).toEqual([true, true]);
  expect([status.rollout?.revision, status.currentRevision]).toContain(to);
  expect(world.rollout.pause).not.toBe(true);
}

/** Of a plan all, or so many steps before a kill and nothing written. */
function planned(world: World, one: Extract<Event, { kind: 'plan' }>): void {
  const made = planFor(world);
  expectWithinBudget(world, made);
  for (const step of made.steps) expectAllowed(world, made, step);
  for (const [name, { isConnected }] of world.shops) {
    expect(saidOf(made, name) === 'Offline').toBe(!isConnected);
  }
  if (!one.isKilled) remember(world, made);
  for (const step of made.steps.slice(0, one.isKilled ? one.steps : made.steps.length)) take(world, step);
}

function changed(world: World, seen: Shop, one: Change): void {
  if (one.kind === 'link') seen.isConnected = one.isConnected;
  if (one.kind === 'cut') seen.isCutInPart = one.isCutInPart;
  if (one.kind === 'break') seen.isBroken = one.isBroken;
  if (one.kind === 'restarts') seen.restarts = one.restarts;
  if (one.kind === 'label') seen.tier = one.tier;
  if (one.kind === 'window') seen.opensMs = world.nowMs + one.minutes * minute;
}

function live(world: World, one: Event): void {
  const seen = one.kind === 'unit' ? world.shops.get(`shop-${one.unit}`) : undefined;
  if (one.kind === 'unit' && seen !== undefined) changed(world, seen, one.change);
  if (one.kind === 'plan') planned(world, one);
  if (one.kind === 'run') run(world);
  if (one.kind === 'wait') world.nowMs += one.seconds * 1_000;
  if (one.kind === 'want') world.wanted = one.revision;
  if (one.kind !== 'spec') return;
  world.rollout = { ...one.rollout, pause: one.pause };
  world.isSpecNew = true;
}

/** All is well in the end, and another revision is wanted: what had stopped the rollout is not to stop this one. */
function heal(world: World, wanted: number, rollout: UnitAppRollout): void {
  for (const seen of world.shops.values()) {
    Object.assign(seen, {
      isConnected: true,
      isCutInPart: false,
      isBroken: false,
      restarts: 0,
      tier: 'silver',
    });
  }
  Object.assign(world, { wanted, rollout, isSpecNew: true });
}

property.prop([rollouts, events, rollouts], { numRuns: 60 })(
  'whatever happens, ends in the same: what is wanted is in all units, and nothing is planned any more',
  (rollout, history, last) => {
    const world = worldOf(units, { rollout, bad: new Set([3]) });
    for (const one of history) live(world, one);
    heal(world, 4, last);
    settle(world);
    const { totals, units: shown = [] } = world.status ?? {};
    expect([stateOf(world), ...new Set(revisionsIn(world))]).toEqual(['Done', 4]);
    expect(world.status).toMatchObject({ currentRevision: 4, updateRevision: 4 });
    const none = { waiting: 0, updating: 0, unhealthy: 0, failed: 0, offline: 0 };
    expect(totals).toEqual({ units, updated: units, healthy: units, ...none });
    const of = shown.map(({ since: _, ...unit }) => unit);
    expect(new Set(of.map(({ name: _, workload: __, ...unit }) => JSON.stringify(unit))).size).toBe(1);
    const again = planFor(world);
    expect(again.steps).toEqual([]);
    expect(again.status).toEqual(world.status);
  },
);

property.prop([rollouts, events, fc.uniqueArray(fc.nat(units - 1), { maxLength: units - 1 })], {
  numRuns: 50,
})(
  'is not held up by units without a link, and brings it to them when they have one',
  (rollout, history, cut) => {
    const world = worldOf(units, { rollout, bad: new Set([3]) });
    for (const one of history) live(world, one);
    heal(world, 4, rollout);
    const off = cut.flatMap((number) => world.shops.get(`shop-${number}`) ?? []);
    for (const seen of off) seen.isConnected = false;
    settle(world);
    const on = Array.from(world.shops.values()).filter(({ isConnected }) => isConnected);
    expect([stateOf(world), ...new Set(on.map(({ running: runs }) => runs))]).toEqual(['Done', 4]);
    expect(world.status?.totals).toMatchObject({ offline: off.length, failed: 0 });
    for (const seen of off) seen.isConnected = true;
    settle(world);
    expect([stateOf(world), ...new Set(revisionsIn(world))]).toEqual(['Done', 4]);
  },
);

const undisturbed = fc.array(fc.oneof({ weight: 3, arbitrary: plan }, running, wait), { maxLength: 40 });

property.prop([rollouts, undisturbed], { numRuns: 50 })(
  'never brings a bad revision past its wave, nor does a step twice, whenever it is killed',
  (rollout, history) => {
    const world = worldOf(units, { rollout: { ...rollout, maxFailedUnits: 0 }, bad: new Set([2]) });
    settle(world);
    world.done.length = 0;
    world.wanted = 2;
    for (const one of history) live(world, one);
    settle(world);
    const place = [0, 1, 2].find((one) => inWave(world, one).length > 0) ?? 3;
    const first = inWave(world, place);
    const brought = world.done.filter((step) => step.revision === 2).map(({ unit }) => unit);
    expect(brought.length).toBeGreaterThan(0);
    expect(brought.filter((unit) => !first.includes(unit))).toEqual([]);
    expect(brought.length).toBeLessThanOrEqual(budgetOf(rollout, units));
    const steps = world.done.map(({ unit, revision: to }) => `${unit} ${to}`);
    expect(new Set(steps).size).toBe(steps.length);
    expect(stateOf(world)).toBe(rollout.onFailure === 'rollback' ? 'RolledBack' : 'Stopped');
  },
);

property.prop([rollouts, fc.uniqueArray(fc.nat(units - 1))], { numRuns: 30 })(
  'ends in the same in whatever order units are seen to run',
  (rollout, order) => {
    const world = worldOf(units, { rollout: { ...rollout, unitDeadlineSeconds: 86_400 } });
    settle(world);
    world.wanted = 2;
    const names = order.map((number) => `shop-${number}`);
    for (const name of [...names, ...world.shops.keys()]) {
      live(world, { kind: 'plan', isKilled: false, steps: 0 });
      const seen = world.shops.get(name);
      if (seen !== undefined) seen.running = seen.revision;
    }
    settle(world);
    expect(world.status?.totals).toMatchObject({ units, updated: units, healthy: units, waiting: 0 });
    expect([stateOf(world), world.done.length]).toEqual(['Done', 2 * units]);
  },
);

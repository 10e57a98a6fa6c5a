import type { UnitAppRollout, UnitAppStatus } from '@selvedge/api';
import type { MetricReading } from '../gate/index.ts';
import type { CloneFacts } from './health.ts';
import { type RolloutPlan, planRollout } from './plan-rollout.ts';
import type { RolloutStep } from './steps.ts';
import type { UnitFacts } from './unit-state.ts';
import { wavesOf } from './waves.ts';

const pods = 2;

/** A clone all of whose pods are as they should be. */
export const cloneOf = (revision: number, change: Partial<CloneFacts> = {}): CloneFacts => ({
  revision,
  isObserved: true,
  wanted: pods,
  pods,
  updated: pods,
  available: pods,
  restarts: 0,
  ...change,
});

export interface Shop {
  isConnected: boolean;
  /** One of its nodes has no link. */
  isCutInPart?: boolean;
  /** When its window opens; undefined: never. */
  opensMs: number | undefined;
  /** What the API server has. */
  revision: number | undefined;
  /** What runs in the unit. */
  running: number | undefined;
  /** It is broken whatever runs there. */
  isBroken: boolean;
  /** Revisions that are bad elsewhere work in it. */
  isExempt?: boolean;
  /** A label. Default `silver`. */
  tier?: string;
  /** Of the pods of what runs there. */
  restarts?: number;
  /** What the server of metrics says of it. */
  metric?: MetricReading;
  /** Why it cannot have another revision. */
  problem?: string;
}

export interface World {
  readonly shops: Map<string, Shop>;
  /** Revisions that never become healthy. */
  readonly bad: ReadonlySet<number>;
  rollout: UnitAppRollout;
  wanted: number;
  isSpecNew: boolean;
  status: UnitAppStatus | undefined;
  nowMs: number;
  /** All that was done. */
  readonly done: RolloutStep[];
  /** Whose metric was read. */
  readonly asked: string[];
}

export const shop = (change: Partial<Shop> = {}): Shop => ({
  isConnected: true,
  opensMs: 0,
  revision: undefined,
  running: undefined,
  isBroken: false,
  ...change,
});

export const worldOf = (shops: number, change: Partial<World> = {}): World => ({
  shops: new Map(Array.from({ length: shops }, (_, place) => [`shop-${place}`, shop()] as const)),
  bad: new Set(),
  rollout: {},
  wanted: 1,
  isSpecNew: false,
  status: undefined,
  nowMs: Date.parse('2026-05-04T00:00:00Z'),
  done: [],
  asked: [],
  ...change,
});

const isGoodIn = ({ bad }: World, { revision, running, isBroken, isExempt = false }: Shop): boolean =>
  running !== undefined && running === revision && (isExempt || !bad.has(running)) && !isBroken;

const labelsOf = (name: string, { tier = 'silver' }: Shop) => ({ name, tier });

function factsOf(world: World, [name, seen]: readonly [string, Shop]): UnitFacts {
  const { isConnected, isCutInPart, opensMs, revision, problem, restarts = 0 } = seen;
  const available = isGoodIn(world, seen) ? pods : 0;
  const readMetric = (): MetricReading | undefined => {
    world.asked.push(name);
    return seen.metric;
  };
  const clone = revision === undefined ? undefined : cloneOf(revision, { available, restarts, readMetric });
  return { name, labels: labelsOf(name, seen), isConnected, isCutInPart, opensMs, clone, problem };
}

export function planFor(world: World): RolloutPlan {
  const { wanted, rollout, isSpecNew, status, nowMs } = world;
  const units = Array.from(world.shops, (one) => factsOf(world, one));
  return planRollout({ app: 'till', wanted, rollout, isSpecNew, units, status, nowMs });
}

/** What the API server keeps of it: JSON. */
export function remember(world: World, { status }: RolloutPlan): void {
  world.status = JSON.parse(JSON.stringify(status)) as UnitAppStatus;
  world.isSpecNew = false;
}

export function take(world: World, step: RolloutStep): void {
  const there = world.shops.get(step.unit);
  if (there === undefined) return;
  there.revision = step.revision;
  world.done.push(step);
}

/** What was asked for comes to run where there is a link. */
export function run(world: World): void {
  for (const there of world.shops.values()) if (there.isConnected) there.running = there.revision;
}

/** Plans, writes it and does it. */
export function turn(world: World): RolloutPlan {
  const plan = planFor(world);
  remember(world, plan);
  for (const step of plan.steps) take(world, step);
  run(world);
  return plan;
}

/** Turn after turn, until the rollout is there. */
export function reach(world: World, state: string, rounds = 100): void {
  for (let round = 0; world.status?.rollout?.state !== state; round += 1) {
    if (round === rounds) throw new Error(`it does not come to ${state}`);
    turn(world);
  }
}

export const revisionsIn = (world: World): readonly (number | undefined)[] =>
  Array.from(world.shops.values(), ({ revision }) => revision);

export const stateOf = ({ status }: World): string | undefined => status?.rollout?.state;

/** Names of the units of a wave, by its place. */
export const inWave = (world: World, place: number): readonly string[] => {
  const units = Array.from(world.shops, ([name, seen]) => ({ name, labels: labelsOf(name, seen) }));
  const { of } = wavesOf(units, { waves: world.rollout.waves ?? [], seed: 'till' });
  return Array.from(of).flatMap(([name, wave]) => (wave === place ? [name] : []));
};

/** Plans, does it and lets time pass, until nothing is left to do or to wait for. */
export function settle(world: World, rounds = 400): void {
  for (let round = 0; round < rounds; round += 1) {
    const before = JSON.stringify(world.status);
    const plan = turn(world);
    if (plan.steps.length > 0 || JSON.stringify(world.status) !== before) continue;
    if (plan.againMs === undefined) return;
    world.nowMs = plan.againMs;
  }
  throw new Error('it does not settle');
}

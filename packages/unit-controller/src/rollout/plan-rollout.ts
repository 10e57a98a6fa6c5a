import type { UnitAppStatus } from '@selvedge/api';
import { type Position, type PositionFacts, bakeMsOf, moved } from './position.ts';
import { rolloutStatusOf } from './rollout-status.ts';
import { type RolloutFacts, type SeenUnits, seenUnits } from './seen-units.ts';
import { type RolloutStep, type UnitInRollout, stepsIn } from './steps.ts';
import { sinceOf } from './unit-state.ts';

export interface RolloutPlan {
  /** In any order. To be written with the status' version as a condition, before a step of the next plan is done. */
  readonly status: UnitAppStatus;
  /** To be done by the version of the clone that was seen. None while the rollout moves. */
  readonly steps: readonly RolloutStep[];
  /** When to plan again although nothing has changed; undefined: not before something does. */
  readonly againMs: number | undefined;
}

/** How often metrics that count are read. */
const metricEveryMs = 30_000;

function positionOf({ rollout }: UnitAppStatus): Position | undefined {
  if (rollout?.revision === undefined) return undefined;
  const { state, revision, wave = '', since, message = '' } = rollout;
  return { state, revision, wave, sinceMs: since === undefined ? 0 : Date.parse(since), message };
}

/** When time alone changes something of a unit: it has failed, its window opens, its metric is another. */
function momentOf(unit: UnitInRollout, { facts, remembered, deadlineMs }: SeenUnits): number | undefined {
  const { state, facts: unitFacts, isMeasured } = unit;
  const { nowMs } = facts;
  if (state.kind === 'waiting') return unitFacts.opensMs;
  const readMs = isMeasured ? nowMs + metricEveryMs : undefined;
  if (state.kind !== 'updating' && state.kind !== 'unhealthy') return readMs;
  const failsMs = Date.parse(sinceOf(unit, remembered(unitFacts), nowMs)) + deadlineMs;
  return Math.min(failsMs, readMs ?? failsMs);
}

/** When time alone changes something: as above, or a wave has been watched for long enough. */
function againOf(view: SeenUnits, position: Position, units: readonly UnitInRollout[]): number | undefined {
  const { nowMs, rollout } = view.facts;
  const baked = position.state === 'Baking' ? position.sinceMs + bakeMsOf(rollout) : undefined;
  const moments = [baked, ...units.map((unit) => momentOf(unit, view))];
  const later = moments.filter((ms) => ms !== undefined && ms > nowMs);
  return later.reduce<number | undefined>(
    (one, other) => Math.min(one ?? Infinity, other ?? Infinity),
    undefined,
  );
}

const isSamePlace = (one: Position | undefined, other: Position): boolean =>
  one?.state === other.state && one.revision === other.revision && one.wave === other.wave;

/**
 * Which units are to be brought to which revision now, and what is to be remembered. A rollout that moves (to a wave, to a
 * stop, back) does nothing until that is written: whoever is killed, and whoever takes over, does each step in a position
 * that all know of. At what was reached it plans nothing. Throws `Invalid` for a selector that is none. Pure.
 */
export function planRollout(facts: RolloutFacts): RolloutPlan {
  const { app, wanted, rollout, isSpecNew, status = {}, nowMs } = facts;
  const { currentRevision: current = 0 } = status;
  const view = seenUnits(facts);
  const { waves, remembered } = view;
  const last = positionOf(status);
  const moving: PositionFacts = {
    wanted,
    current,
    rollout,
    waves,
    units: view.unitsIn(last, current),
    isSpecNew,
    nowMs,
  };
  const position = moved(last, moving);
  const full = position.state === 'Done' ? position.revision : current;
  const units = view.unitsIn(position, full);
  const steps = isSamePlace(last, position)
    ? stepsIn({ position, current, rollout, waves, units, nowMs })
    : [];
  return {
    status: rolloutStatusOf({ app, position, units, remembered, nowMs }, full),
    steps,
    againMs: againOf(view, position, units),
  };
}

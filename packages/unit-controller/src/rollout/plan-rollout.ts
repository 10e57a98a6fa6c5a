import type { UnitAppRollout, UnitAppStatus } from '@selvedge/api';
import { type Position, type PositionFacts, bakeMsOf, moved, targetOf } from './position.ts';
import { rolloutStatusOf } from './rollout-status.ts';
import { type RolloutStep, type UnitInRollout, stepsIn } from './steps.ts';
import {
  type StateOptions,
  type UnitBefore,
  type UnitFacts,
  isGood,
  sinceOf,
  unitStateOf,
} from './unit-state.ts';
import { wavesOf } from './waves.ts';

export interface RolloutFacts {
  /** The name of the UnitApp. */
  readonly app: string;
  /** The number of the revision that is wanted, see `planHistory`. */
  readonly wanted: number;
  readonly rollout: UnitAppRollout;
  /** The spec has another generation than the one that the status is about. */
  readonly isSpecNew: boolean;
  /** All that are selected, in any order. */
  readonly units: readonly UnitFacts[];
  /** As it was written last. */
  readonly status: UnitAppStatus | undefined;
  readonly nowMs: number;
}

export interface RolloutPlan {
  /** In any order. To be written with the status' version as a condition, before a step of the next plan is done. */
  readonly status: UnitAppStatus;
  /** To be done by the version of the clone that was seen. None while the rollout moves. */
  readonly steps: readonly RolloutStep[];
  /** When to plan again although nothing has changed; undefined: not before something does. */
  readonly againMs: number | undefined;
}

const secondMs = 1_000;
const defaultDeadlineSeconds = 600;

function positionOf({ rollout }: UnitAppStatus): Position | undefined {
  if (rollout?.revision === undefined) return undefined;
  const { state, revision, wave = '', since, message = '' } = rollout;
  return { state, revision, wave, sinceMs: since === undefined ? 0 : Date.parse(since), message };
}

interface Seen {
  readonly facts: RolloutFacts;
  readonly waves: readonly string[];
  readonly before: ReadonlyMap<string, UnitBefore>;
  readonly deadlineMs: number;
  /** As it is in a position. */
  readonly unitsIn: (position: Position | undefined, current: number) => readonly UnitInRollout[];
}

function seen(facts: RolloutFacts): Seen {
  const { app, rollout, status, nowMs } = facts;
  const { names, of } = wavesOf(facts.units, { waves: rollout.waves ?? [], seed: app });
  const before = new Map((status?.units ?? []).map((unit) => [unit.name, unit] as const));
  const deadlineMs = (rollout.unitDeadlineSeconds ?? defaultDeadlineSeconds) * secondMs;
  const opened: readonly UnitFacts[] =
    rollout.maintenanceWindows === 'ignore'
      ? facts.units.map((unit) => ({ ...unit, opensMs: nowMs }))
      : facts.units;
  const sorted = opened.toSorted((one, other) => (one.name < other.name ? -1 : 1));
  return {
    facts,
    waves: names,
    before,
    deadlineMs,
    unitsIn(position, current) {
      const target = position === undefined ? facts.wanted : targetOf(position, current);
      const options: StateOptions = { target, gate: rollout.healthGate, deadlineMs, nowMs };
      return sorted.map((unit) => ({
        name: unit.name,
        place: of.get(unit.name) ?? 0,
        state: unitStateOf(unit, before.get(unit.name), options),
        facts: unit,
        isGood: isGood(unit, options),
      }));
    },
  };
}

/** When time alone changes something: a wave has been watched for long enough, a unit has failed, a window opens. */
function againOf({ facts, before, deadlineMs }: Seen, position: Position, units: readonly UnitInRollout[]) {
  const { nowMs, rollout } = facts;
  const moments = units.flatMap((unit) => {
    if (unit.state.kind === 'waiting') return unit.facts.opensMs ?? [];
    if (unit.state.kind !== 'updating' && unit.state.kind !== 'unhealthy') return [];
    return Date.parse(sinceOf(unit, before.get(unit.name), nowMs)) + deadlineMs;
  });
  const baked = position.state === 'Baking' ? [position.sinceMs + bakeMsOf(rollout)] : [];
  const later = [...moments, ...baked].filter((ms) => ms > nowMs);
  return later.length === 0 ? undefined : later.reduce((one, other) => Math.min(one, other));
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
  const view = seen(facts);
  const { waves, before } = view;
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
    status: rolloutStatusOf({ app, position, units, before, nowMs }, full),
    steps,
    againMs: againOf(view, position, units),
  };
}

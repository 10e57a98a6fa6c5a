import type { UnitAppRollout, UnitAppStatus } from '@selvedge/api';
import { type Position, isGoingBack, targetOf } from './position.ts';
import { maxUnits } from './rollout-status.ts';
import type { UnitInRollout } from './steps.ts';
import { type StateOptions, type UnitBefore, type UnitFacts, viewOf } from './unit-state.ts';
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

const secondMs = 1_000;
const defaultDeadlineSeconds = 600;

type Remembered = (unit: UnitFacts) => UnitBefore | undefined;

/** What the status remembers of units. Whoever is judged anew has his time again. */
function memoryOf({ status, isSpecNew }: RolloutFacts): Remembered {
  const { units = [], rollout } = status ?? {};
  const isAnew = isSpecNew && rollout?.state === 'Stopped';
  const known = new Map<string, UnitBefore>();
  for (const unit of units) {
    const { name, since: _, ...forgiven } = unit;
    known.set(name, isAnew && unit.state === 'Failed' ? { ...forgiven, state: 'Updating' } : unit);
  }
  return ({ name }) => known.get(name);
}

/** The units of a UnitApp with their waves, and what is remembered of them. */
export interface SeenUnits {
  readonly facts: RolloutFacts;
  readonly waves: readonly string[];
  readonly remembered: Remembered;
  readonly deadlineMs: number;
  /** As it is in a position. */
  readonly unitsIn: (position: Position | undefined, current: number) => readonly UnitInRollout[];
}

interface PastFacts {
  readonly unit: UnitFacts;
  readonly before: UnitBefore | undefined;
  /** The status remembers as many units as it may: those that were healthy come last. */
  readonly isFull: boolean;
  /** Of the rollout, with the revision that is proven. */
  readonly position: Position | undefined;
  readonly current: number;
  /** Its wave comes before the one that the rollout is at. */
  readonly isBefore: boolean;
}

/** Its wave is done, and it was healthy then. */
function isProven({ before, isFull, position, current, isBefore }: PastFacts, wasHealthy: boolean): boolean {
  const isWaveDone = isBefore || position?.revision === current;
  return isWaveDone && (wasHealthy || (before === undefined && isFull));
}

/** What a unit has to show with what it has: of the revision of the rollout all, until its wave is done. */
function pastOf(facts: PastFacts): Pick<StateOptions, 'trial' | 'wasHealthy'> {
  const { unit, before, position } = facts;
  const { revision } = unit.clone ?? {};
  const wasHealthy = revision !== undefined && before?.healthyRevision === revision;
  if (position !== undefined && revision !== position.revision) return { trial: 'proven', wasHealthy };
  if (position !== undefined && isGoingBack(position)) return { trial: 'left', wasHealthy };
  return isProven(facts, wasHealthy) ? { trial: 'proven', wasHealthy: true } : { trial: 'tried', wasHealthy };
}

/** Throws `Invalid` for a selector that is none. Pure. */
export function seenUnits(facts: RolloutFacts): SeenUnits {
  const { app, wanted, rollout, status, nowMs } = facts;
  const { names, of } = wavesOf(facts.units, { waves: rollout.waves ?? [], seed: app });
  const remembered = memoryOf(facts);
  const isFull = (status?.units ?? []).length >= maxUnits;
  const deadlineMs = (rollout.unitDeadlineSeconds ?? defaultDeadlineSeconds) * secondMs;
  const isOpen = rollout.maintenanceWindows === 'ignore';
  const sorted = facts.units
    .map((unit) => (isOpen ? { ...unit, opensMs: nowMs } : unit))
    .toSorted((one, other) => (one.name < other.name ? -1 : 1));
  return {
    facts,
    waves: names,
    remembered,
    deadlineMs,
    unitsIn(position, current) {
      const target = position === undefined ? wanted : targetOf(position, current);
      const at = names.indexOf(position?.wave ?? '');
      const gate = rollout.healthGate;
      const shared = { target, isTargetProven: target === current, gate, deadlineMs, nowMs };
      return sorted.map((unit) => {
        const before = remembered(unit);
        const place = of.get(unit.name) ?? 0;
        const past = pastOf({ unit, before, isFull, position, current, isBefore: place < at });
        const view = viewOf(unit, before, { ...shared, ...past });
        return { name: unit.name, place, facts: unit, wasHealthy: past.wasHealthy, ...view };
      });
    },
  };
}

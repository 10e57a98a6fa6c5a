import type { UnitAppRollout } from '@selvedge/api';
import { type Position, type UnitInWave, isOverFailed, targetOf } from './position.ts';
import { type UnitFacts, type UnitView, isUnitOpen } from './unit-state.ts';

/** A clone is to be made from a revision. Doing it twice does it once. */
export interface RolloutStep {
  readonly unit: string;
  readonly revision: number;
}

export interface UnitInRollout extends UnitInWave, UnitView {
  readonly facts: UnitFacts;
  /** With what it has now. */
  readonly wasHealthy: boolean;
}

export interface StepsFacts {
  readonly position: Position;
  readonly current: number;
  readonly rollout: UnitAppRollout;
  readonly waves: readonly string[];
  readonly units: readonly UnitInRollout[];
  readonly nowMs: number;
}

const maxPercent = 100;
const defaultBudget = '10%';

/** Of so many units, how many may be on their way at a time. */
export function budgetOf({ maxUnavailableUnits = defaultBudget }: UnitAppRollout, units: number): number {
  if (typeof maxUnavailableUnits === 'number') return maxUnavailableUnits;
  return Math.ceil((units * Number.parseInt(maxUnavailableUnits, 10)) / maxPercent);
}

/** The rollout has it under way; what has failed is counted by `maxFailedUnits`. */
const isUnderWay = ({ state }: UnitInRollout): boolean =>
  state.kind === 'updating' || state.kind === 'unhealthy';

/**
 * It was under way with another revision, and does not work with it. What was unhealthy before that is no rollout's doing,
 * and must not keep this one from bringing what may help.
 */
const isBrokenBy = ({ facts: { clone }, isGood }: UnitInRollout, current: number): boolean =>
  clone !== undefined && clone.revision !== current && !isGood;

type IsTurn = (unit: UnitInRollout) => boolean;

/** Whose turn it is; undefined: nobody's. */
function turnIn(facts: StepsFacts): IsTurn | undefined {
  const { position, waves, nowMs } = facts;
  switch (position.state) {
    case 'Progressing':
    case 'Baking':
      return ({ place, facts: unit }) => place <= waves.indexOf(position.wave) && isUnitOpen(unit, nowMs);
    case 'RollingBack':
    case 'RolledBack':
      // Who has nothing to lose need not wait for a window.
      return ({ facts: unit, isGood }) => isUnitOpen(unit, nowMs) || (unit.clone !== undefined && !isGood);
    case 'Done':
      return isOverFailed(facts) ? undefined : ({ facts: unit }) => isUnitOpen(unit, nowMs);
    case 'Paused':
    case 'Stopped':
      return undefined;
  }
}

/** A unit that is new gets what all others have until its turn comes: it has no part in the rollout. */
function newcomersIn(
  { units, current, nowMs }: StepsFacts,
  begun: ReadonlySet<string>,
): readonly RolloutStep[] {
  if (current === 0) return [];
  return units
    .filter(({ name, state, facts }) => {
      const isNew = state.kind === 'waiting' && facts.clone === undefined && isUnitOpen(facts, nowMs);
      return isNew && !begun.has(name);
    })
    .map(({ name }) => ({ unit: name, revision: current }));
}

/**
 * What is to be done now in a position that has been written. Units come in the order of waves, then as they were given;
 * those that another revision broke come beside the budget and use it. Until it is their turn they do not: they would keep
 * what may help from ever reaching them. Pure.
 */
export function stepsIn(facts: StepsFacts): readonly RolloutStep[] {
  const { units, position, current, rollout } = facts;
  if (rollout.pause === true) return [];
  const isTurn = turnIn(facts);
  const revision = targetOf(position, current);
  const due = units
    .filter((unit) => unit.state.kind === 'waiting' && isTurn?.(unit) === true)
    .toSorted((one, other) => one.place - other.place);
  const free = due.filter((unit) => isBrokenBy(unit, current));
  const used = units.filter(isUnderWay).length + free.length;
  const room = Math.max(0, budgetOf(rollout, units.length) - used);
  const others = due.filter((unit) => !isBrokenBy(unit, current)).slice(0, room);
  const begun = [...free, ...others].map(({ name }) => ({ unit: name, revision }));
  const held = new Set(due.map(({ name }) => name));
  return [...begun, ...newcomersIn(facts, held)];
}

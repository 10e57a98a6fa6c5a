import type { UnitAppRollout, UnitAppStatus } from '@selvedge/api';
import type { UnitState } from './unit-state.ts';

type RolloutState = NonNullable<UnitAppStatus['rollout']>['state'];

/** Where a rollout is. All that is remembered of it: it is written before anything is done by it. */
export interface Position {
  readonly state: RolloutState;
  /** What it brings; what it brought, where it was taken back. */
  readonly revision: number;
  /** The name of the wave that it is at. */
  readonly wave: string;
  readonly sinceMs: number;
  readonly message: string;
}

export interface UnitInWave {
  readonly name: string;
  /** The place of its wave. */
  readonly place: number;
  readonly state: UnitState;
}

/** What a rollout moves by. */
export interface PositionFacts {
  readonly wanted: number;
  /** The last revision that was rolled out in full; 0: none. */
  readonly current: number;
  readonly rollout: UnitAppRollout;
  /** Of the waves, in their order. */
  readonly waves: readonly string[];
  readonly units: readonly UnitInWave[];
  /** The spec is another than at the last plan. */
  readonly isSpecNew: boolean;
  readonly nowMs: number;
}

const secondMs = 1_000;
const defaultBakeSeconds = 60;
const maxNamed = 3;

export const bakeMsOf = ({ bakeSeconds = defaultBakeSeconds }: UnitAppRollout): number =>
  bakeSeconds * secondMs;

/** It has a link, and can show nothing of the revision. */
const isMute = ({ state }: UnitInWave): boolean => state.kind === 'skipped' || state.kind === 'stuck';

/** Units without a link neither hold a wave nor fail it; those that can show nothing hold it when no other is there. */
const takesPart = (unit: UnitInWave): boolean => unit.state.kind !== 'offline' && !isMute(unit);

const failedOf = ({ units }: Pick<PositionFacts, 'units'>): readonly UnitInWave[] =>
  units.filter(({ state }) => state.kind === 'failed');

export const isOverFailed = (facts: Pick<PositionFacts, 'units' | 'rollout'>): boolean =>
  failedOf(facts).length > (facts.rollout.maxFailedUnits ?? 0);

function reasonsOf(units: readonly UnitInWave[]): string {
  const named = units
    .slice(0, maxNamed)
    .map(({ name, state }) => `${name}: ${'why' in state ? state.why : ''}`);
  const more = units.length > maxNamed ? `; and ${units.length - maxNamed} more` : '';
  return `${named.join('; ')}${more}`;
}

function failureOf(facts: PositionFacts): string {
  const failed = failedOf(facts);
  return `${failed.length} failed: ${reasonsOf(failed)}`;
}

type Move = (position: Position, facts: PositionFacts) => Position;

const to = (
  position: Position,
  facts: PositionFacts,
  change: Partial<Pick<Position, 'state' | 'wave' | 'message'>>,
): Position => ({ ...position, message: '', ...change, sinceMs: facts.nowMs });

const saying = (position: Position, message: string): Position =>
  position.message === message ? position : { ...position, message };

/** The next wave of which anybody has a link; waves of which nobody has are passed. */
const advanced: Move = (position, facts) => {
  const place = facts.waves.indexOf(position.wave);
  const next = facts.waves.findIndex(
    (_, other) =>
      other > place && facts.units.some((unit) => unit.place === other && unit.state.kind !== 'offline'),
  );
  const wave = facts.waves[next];
  return wave === undefined
    ? to(position, facts, { state: 'Done', wave: facts.waves.at(-1) ?? '' })
    : to(position, facts, { state: 'Progressing', wave });
};

/** A revision that all units had last needs not be tried out. */
function started(facts: PositionFacts): Position {
  const { wanted, current, waves, nowMs } = facts;
  const wave = (wanted === current ? waves.at(-1) : waves[0]) ?? '';
  return { state: 'Progressing', revision: wanted, wave, sinceMs: nowMs, message: '' };
}

/** What stops a rollout, before anything moves it on. What all had last comes to all whoever fails, as when it is taken back. */
function halted(position: Position, facts: PositionFacts): Position | undefined {
  const { wanted, current, rollout } = facts;
  if (isOverFailed(facts) && wanted !== current) {
    const state = rollout.onFailure === 'rollback' && current > 0 ? 'RollingBack' : 'Stopped';
    return to(position, facts, { state, message: failureOf(facts) });
  }
  return rollout.pause === true ? to(position, facts, { state: 'Paused' }) : undefined;
}

const settled: readonly UnitState['kind'][] = ['healthy', 'ailing', 'failed'];

/** Units of waves before come late: they hold nobody. What all had last comes to all at once, so all hold it. */
function unitsAt(place: number, { units, wanted, current }: PositionFacts): readonly UnitInWave[] {
  return units.filter((unit) => (wanted === current ? unit.place <= place : unit.place === place));
}

const progressing: Move = (position, facts) => {
  const place = facts.waves.indexOf(position.wave);
  if (place === -1) return started(facts);
  const units = unitsAt(place, facts);
  const inWave = units.filter(takesPart);
  if (!inWave.every(({ state }) => settled.includes(state.kind))) return saying(position, '');
  if (inWave.length > 0) return to(position, facts, { state: 'Baking' });
  const mute = units.filter(isMute);
  // A wave that could not show anything is no proof for the next one.
  if (mute.length > 0) return saying(position, `no unit of the wave can show it: ${reasonsOf(mute)}`);
  // Where there are units and none can show anything, nothing is known of the revision.
  return facts.units.length === 0 || facts.units.some(takesPart) ? advanced(position, facts) : position;
};

/** Units that come late, into the wave or back from a cut, do not begin the time anew. */
const baking: Move = (position, facts) => {
  const place = facts.waves.indexOf(position.wave);
  if (place === -1) return started(facts);
  const isBroken = unitsAt(place, facts).some(({ state }) => state.kind === 'unhealthy');
  if (isBroken) return to(position, facts, { state: 'Progressing' });
  const isOver = facts.nowMs - position.sinceMs >= bakeMsOf(facts.rollout);
  return isOver ? advanced(position, facts) : position;
};

const haltedOr =
  (move: Move): Move =>
  (position, facts) =>
    halted(position, facts) ?? move(position, facts);

const moves: Readonly<Record<RolloutState, Move>> = {
  Progressing: haltedOr(progressing),
  Baking: haltedOr(baking),
  Paused: (position, facts) =>
    facts.rollout.pause === true ? position : to(position, facts, { state: 'Progressing' }),
  // Whoever changes the UnitApp may have changed what it was stopped by: it is judged anew.
  Stopped: (position, facts) => (facts.isSpecNew ? to(position, facts, { state: 'Progressing' }) : position),
  RollingBack: (position, facts) => {
    const isLeft = facts.units.some(({ state }) => state.kind === 'waiting');
    return isLeft ? position : to(position, facts, { state: 'RolledBack', message: position.message });
  },
  RolledBack: (position) => position,
  Done: (position) => position,
};

/** The one door: where the rollout is now, from where it was. A rollout of another revision begins anew. Pure. */
export function moved(position: Position | undefined, facts: PositionFacts): Position {
  if (position === undefined || position.revision !== facts.wanted) return started(facts);
  return moves[position.state](position, facts);
}

/** Its revision failed, and is taken back. */
export const isGoingBack = ({ state }: Pick<Position, 'state'>): boolean =>
  state === 'RollingBack' || state === 'RolledBack';

/** What units shall have in this position, when it is their turn. */
export const targetOf = (position: Position, current: number): number =>
  isGoingBack(position) ? current : position.revision;

import type { UnitAppStatus, UnitAppUnit } from '@selvedge/api';
import { cloneName } from '../rendering/index.ts';
import { timestamp } from '../units/index.ts';
import type { Position } from './position.ts';
import type { UnitInRollout } from './steps.ts';
import { type UnitBefore, type UnitFacts, type UnitState, sinceOf, stateNames } from './unit-state.ts';

export interface StatusFacts {
  /** The name of the UnitApp. */
  readonly app: string;
  readonly position: Position;
  readonly units: readonly UnitInRollout[];
  /** What the last status said of a unit. */
  readonly remembered: (unit: UnitFacts) => UnitBefore | undefined;
  readonly nowMs: number;
}

/** As many as the schema allows. */
export const maxUnits = 1_000;
const maxUnitMessage = 256;
const maxMessage = 1_024;

/** Of more than are shown those first whose state is remembered for a purpose. */
const attention: readonly UnitAppUnit['state'][] = [
  'Failed',
  'Unhealthy',
  'Updating',
  'Offline',
  'Waiting',
  'Healthy',
];

function whyOf(state: UnitState): string {
  if (state.kind === 'waiting') return state.for === 'window' ? 'until its maintenance window opens' : '';
  return 'why' in state ? state.why : '';
}

const counted = ({ wanted, available }: { readonly wanted: number; readonly available: number }) => ({
  replicas: wanted,
  available,
});

function shownUnit(unit: UnitInRollout, { app, remembered, nowMs }: StatusFacts): UnitAppUnit {
  const { name, facts, state: unitState, wasHealthy } = unit;
  const { clone } = facts;
  const before = remembered(facts);
  const isHealthy = wasHealthy || unitState.kind === 'healthy';
  const healthyRevision = isHealthy ? clone?.revision : before?.healthyRevision;
  const state = stateNames[unitState.kind];
  const message = whyOf(unitState).slice(0, maxUnitMessage);
  return {
    name,
    ...(clone === undefined
      ? {}
      : { workload: cloneName(app, name), revision: clone.revision, ...counted(clone) }),
    state,
    since: sinceOf(unit, before, nowMs),
    ...(healthyRevision === undefined ? {} : { healthyRevision }),
    ...(message === '' ? {} : { message }),
  };
}

const byNeed = ({ state, since = '' }: UnitAppUnit): string => `${attention.indexOf(state)}${since}`;

/** Those that need attention first, the longest in their state before others; shown by name. */
function cut(units: readonly UnitAppUnit[]): readonly UnitAppUnit[] {
  const chosen =
    units.length <= maxUnits
      ? units
      : units.toSorted((one, other) => (byNeed(one) < byNeed(other) ? -1 : 1)).slice(0, maxUnits);
  return chosen.toSorted((one, other) => (one.name < other.name ? -1 : 1));
}

function totalsOf({ units, position }: StatusFacts): NonNullable<UnitAppStatus['totals']> {
  const count = (isIn: (unit: UnitInRollout) => boolean): number => units.filter(isIn).length;
  const inState = (state: UnitAppUnit['state']): number =>
    count((unit) => stateNames[unit.state.kind] === state);
  return {
    units: units.length,
    updated: count(({ facts }) => facts.clone?.revision === position.revision),
    healthy: count(({ facts, isGood }) => facts.isConnected && isGood),
    waiting: inState('Waiting'),
    updating: inState('Updating'),
    unhealthy: inState('Unhealthy'),
    failed: inState('Failed'),
    offline: inState('Offline'),
  };
}

/** What `UnitApp.status` says of the rollout: all that the next plan remembers, and what people want to see. Pure. */
export function rolloutStatusOf(facts: StatusFacts, current: number): UnitAppStatus {
  const { state, revision, wave, sinceMs, message } = facts.position;
  return {
    currentRevision: current,
    updateRevision: revision,
    rollout: {
      state,
      revision,
      wave,
      since: timestamp(sinceMs),
      ...(message === '' ? {} : { message: message.slice(0, maxMessage) }),
    },
    totals: totalsOf(facts),
    units: cut(facts.units.map((unit) => shownUnit(unit, facts))),
  };
}

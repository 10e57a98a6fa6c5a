import type { UnitAppUnit } from '@selvedge/api';
import type { UnitValues } from '../rendering/index.ts';
import { timestamp } from '../units/index.ts';
import {
  type CloneFacts,
  type Health,
  type HealthGate,
  gateWhenProven,
  healthOf,
  podHealthOf,
} from './health.ts';

/** What is known of one selected unit. */
export interface UnitFacts extends UnitValues {
  /** One of its nodes has a link. */
  readonly isConnected: boolean;
  /** One of its nodes has none. Default: none is without. */
  readonly isCutInPart?: boolean | undefined;
  /** When it may be changed next, as `nextOpening` says it; undefined: never. */
  readonly opensMs: number | undefined;
  /** Why it cannot have the revision: a label that a text of the template names is missing. */
  readonly problem?: string | undefined;
  readonly clone?: CloneFacts | undefined;
}

/** A unit on its way to the revision that it shall have. */
export type UnitState =
  /** It has no link: it is not touched, and catches up when it has one. */
  | { readonly kind: 'offline' }
  /** It cannot have the revision, or never is to be changed. */
  | { readonly kind: 'skipped'; readonly why: string }
  | { readonly kind: 'waiting'; readonly for: 'turn' | 'window' }
  | { readonly kind: 'updating'; readonly why: string }
  /** It has been on its way for too long, and one of its nodes has no link: that is no failure, and holds nobody. */
  | { readonly kind: 'stuck'; readonly why: string }
  | { readonly kind: 'healthy' }
  /** It has been healthy with a revision that is tried out. */
  | { readonly kind: 'unhealthy'; readonly why: string }
  /** It has been healthy with a revision that all units had,: no rollout's doing, and it holds none. */
  | { readonly kind: 'ailing'; readonly why: string }
  | { readonly kind: 'failed'; readonly why: string };

/** What the last plan said of the unit: the only memory that there is. */
export type UnitBefore = Pick<UnitAppUnit, 'state' | 'revision' | 'since' | 'healthyRevision'>;

/** What the rollout asks of a unit that has a revision. */
export type Trial =
  /** All that the gate says: the unit has not shown it yet, or its wave is watched. */
  | 'tried'
  /** What its pods do: it is to leave a revision that failed. */
  | 'left'
  /** That its pods are available. */
  | 'proven';

export interface StateOptions {
  /** The revision that the unit shall have. */
  readonly target: number;
  /** It was rolled out in full before. */
  readonly isTargetProven: boolean;
  readonly trial: Trial;
  /** It has been healthy with what it has now. */
  readonly wasHealthy: boolean;
  readonly gate: HealthGate | undefined;
  readonly deadlineMs: number;
  readonly nowMs: number;
}

/** What a unit is found in. */
export interface UnitView {
  readonly state: UnitState;
  /** Its pods are as they should be, whatever the revision. */
  readonly isGood: boolean;
  /** Its metric counts now: it is to be read again and again. */
  readonly isMeasured: boolean;
}

/** The state as `UnitApp.status` names it. */
export const stateNames = {
  offline: 'Offline',
  skipped: 'Waiting',
  waiting: 'Waiting',
  updating: 'Updating',
  stuck: 'Waiting',
  healthy: 'Healthy',
  unhealthy: 'Unhealthy',
  ailing: 'Unhealthy',
  failed: 'Failed',
} as const satisfies Record<UnitState['kind'], UnitAppUnit['state']>;

const cutInPart = 'one of its nodes has no link';
const neverOpens = 'its maintenance windows never open';

export const isUnitOpen = ({ opensMs }: UnitFacts, nowMs: number): boolean =>
  opensMs !== undefined && opensMs <= nowMs;

function judged(clone: CloneFacts, { trial, gate, wasHealthy }: StateOptions): Health {
  if (trial === 'tried') return healthOf(clone, gate, wasHealthy);
  return podHealthOf(clone, trial === 'left' ? gate : gateWhenProven(gate));
}

interface Judged {
  readonly health: Health;
  /** What it was with another revision does not count. */
  readonly last: UnitBefore | undefined;
}

/** It has been in this state for its time. */
function isLate(kind: UnitState['kind'], last: UnitBefore | undefined, options: StateOptions): boolean {
  const { deadlineMs, nowMs } = options;
  if (last?.since === undefined || last.state !== stateNames[kind]) return false;
  return nowMs - Date.parse(last.since) >= deadlineMs;
}

/** Of a unit that may become healthy yet. While a node has no link its time stands still once it is over, and begins anew then. */
function pendingIn({ isCutInPart = false }: UnitFacts, judgement: Judged, options: StateOptions): UnitState {
  const { health, last } = judgement;
  const why = 'why' in health ? health.why : '';
  const kind = options.wasHealthy ? 'unhealthy' : 'updating';
  const isOver = isLate(kind, last, options);
  const isStuck = isCutInPart && (isOver || last?.state === stateNames.stuck);
  if (isStuck) return { kind: 'stuck', why: `${why}; ${cutInPart}` };
  return { kind: isOver ? 'failed' : kind, why };
}

/** Of a unit that has the revision. */
function stateWith(unit: UnitFacts, judgement: Judged, options: StateOptions): UnitState {
  const { health, last } = judgement;
  if (health.kind === 'good') return { kind: 'healthy' };
  const { why } = health;
  if (options.wasHealthy && options.isTargetProven) return { kind: 'ailing', why };
  const isFailed = health.kind === 'bad' || last?.state === 'Failed';
  return isFailed ? { kind: 'failed', why } : pendingIn(unit, judgement, options);
}

/** Of a unit that does not. Who leaves what does not work needs no window. */
function stateWithout(
  unit: UnitFacts,
  judgement: Judged | undefined,
  { trial, nowMs }: StateOptions,
): UnitState {
  const { problem, opensMs } = unit;
  if (problem !== undefined) return { kind: 'skipped', why: problem };
  const isLeaving = trial === 'left' && judgement?.health.kind !== 'good';
  if (opensMs === undefined && !isLeaving) return { kind: 'skipped', why: neverOpens };
  return { kind: 'waiting', for: isUnitOpen(unit, nowMs) ? 'turn' : 'window' };
}

function stateOf(unit: UnitFacts, judgement: Judged | undefined, options: StateOptions): UnitState {
  if (!unit.isConnected) return { kind: 'offline' };
  const hasTarget = unit.clone?.revision === options.target;
  return hasTarget && judgement !== undefined
    ? stateWith(unit, judgement, options)
    : stateWithout(unit, judgement, options);
}

/** What state a unit is in, from what is seen and what it was. */
export function viewOf(unit: UnitFacts, before: UnitBefore | undefined, given: StateOptions): UnitView {
  const { clone, isConnected } = unit;
  // Nothing that is seen of a unit without a link is of now.
  const options: StateOptions = isConnected ? given : { ...given, trial: 'proven' };
  const { trial, gate } = options;
  if (clone === undefined) {
    return { state: stateOf(unit, undefined, options), isGood: false, isMeasured: false };
  }
  const health = judged(clone, options);
  const last = before?.revision === clone.revision ? before : undefined;
  const isAsked = trial === 'tried' && gate?.metric !== undefined;
  return {
    state: stateOf(unit, { health, last }, options),
    isGood: health.kind === 'good',
    isMeasured: isAsked && podHealthOf(clone, gate).kind === 'good',
  };
}

export interface UnitInState {
  readonly facts: UnitFacts;
  readonly state: UnitState;
}

/** Since when it is in its state with its revision. RFC 3339. Pure. */
export function sinceOf({ facts, state }: UnitInState, last: UnitBefore | undefined, nowMs: number): string {
  const isSame = last?.state === stateNames[state.kind] && last.revision === facts.clone?.revision;
  return (isSame ? last.since : undefined) ?? timestamp(nowMs);
}

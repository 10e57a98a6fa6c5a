import type { UnitAppUnit } from '@selvedge/api';
import type { UnitValues } from '../rendering/index.ts';
import { timestamp } from '../units/index.ts';
import { type CloneFacts, type Health, type HealthGate, healthOf } from './health.ts';

/** What is known of one selected unit. */
export interface UnitFacts extends UnitValues {
  /** One of its nodes has a link. */
  readonly isConnected: boolean;
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
  /** It cannot have the revision. */
  | { readonly kind: 'skipped'; readonly why: string }
  | { readonly kind: 'waiting'; readonly for: 'turn' | 'window' }
  | { readonly kind: 'updating'; readonly why: string }
  | { readonly kind: 'healthy' }
  /** It has been healthy. */
  | { readonly kind: 'unhealthy'; readonly why: string }
  | { readonly kind: 'failed'; readonly why: string };

/** What the last plan said of the unit: the only memory that there is. */
export type UnitBefore = Pick<UnitAppUnit, 'state' | 'revision' | 'since'>;

export interface StateOptions {
  /** The revision that the unit shall have. */
  readonly target: number;
  readonly gate: HealthGate | undefined;
  readonly deadlineMs: number;
  readonly nowMs: number;
}

/** The state as `UnitApp.status` names it. */
export const stateNames = {
  offline: 'Offline',
  skipped: 'Waiting',
  waiting: 'Waiting',
  updating: 'Updating',
  healthy: 'Healthy',
  unhealthy: 'Unhealthy',
  failed: 'Failed',
} as const satisfies Record<UnitState['kind'], UnitAppUnit['state']>;

export const isUnitOpen = ({ opensMs }: UnitFacts, nowMs: number): boolean =>
  opensMs !== undefined && opensMs <= nowMs;

/** Of an old revision nobody asks the server of metrics. */
export const isGood = ({ clone }: UnitFacts, { target, gate }: StateOptions): boolean =>
  clone !== undefined &&
  healthOf(clone, clone.revision === target ? gate : { ...gate, metric: undefined }).kind === 'good';

const isPast = (since: string | undefined, { deadlineMs, nowMs }: StateOptions): boolean =>
  since !== undefined && nowMs - Date.parse(since) >= deadlineMs;

const hasBeenHealthy = (last: UnitBefore | undefined): boolean =>
  last?.state === 'Healthy' || last?.state === 'Unhealthy';

/** Of a unit that has the revision: what it was with another one does not count. */
function stateWith(health: Health, last: UnitBefore | undefined, options: StateOptions): UnitState {
  if (health.kind === 'good') return { kind: 'healthy' };
  const { why } = health;
  const kind = hasBeenHealthy(last) ? 'unhealthy' : 'updating';
  const isLate = last?.state === stateNames[kind] && isPast(last.since, options);
  const isFailed = health.kind === 'bad' || last?.state === 'Failed' || isLate;
  return { kind: isFailed ? 'failed' : kind, why };
}

/** What state a unit is in, from what is seen and what it was. Pure. */
export function unitStateOf(
  unit: UnitFacts,
  before: UnitBefore | undefined,
  options: StateOptions,
): UnitState {
  const { clone, problem } = unit;
  if (!unit.isConnected) return { kind: 'offline' };
  if (clone?.revision === options.target) {
    const last = before?.revision === clone.revision ? before : undefined;
    return stateWith(healthOf(clone, options.gate), last, options);
  }
  if (problem !== undefined) return { kind: 'skipped', why: problem };
  return { kind: 'waiting', for: isUnitOpen(unit, options.nowMs) ? 'turn' : 'window' };
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

import type { UnitAppStatus } from '@selvedge/api';
import { hasCode } from '@selvedge/kit';
import { type UnitAppObject, nameOf } from '../../objects.ts';
import { type RolloutPlan, type UnitFacts, planRollout } from '../../rollout/index.ts';
import { timestamp, transitioned } from '../../units/index.ts';
import { type ConditionFacts, conditionsOf } from './conditions.ts';

export interface AppFacts {
  readonly app: UnitAppObject;
  /** The number of the revision to roll out; undefined: there is none. */
  readonly wanted: number | undefined;
  /** All that are selected. */
  readonly units: readonly UnitFacts[];
  /** What cannot be used, for people. */
  readonly problems: readonly string[];
  readonly nowMs: number;
}

type Planned = RolloutPlan & Pick<ConditionFacts, 'problems' | 'isPlanned'>;

/** Where nothing can be rolled out, what was there stays. */
function plannedOf({ app, wanted, units, problems, nowMs }: AppFacts): Planned {
  const { spec, status, metadata } = app;
  const unchanged = { status: status ?? {}, steps: [], againMs: undefined, problems, isPlanned: false };
  if (wanted === undefined) return unchanged;
  const isSpecNew = status?.observedGeneration !== metadata.generation;
  const rollout = spec.rollout ?? {};
  try {
    const plan = planRollout({ app: nameOf(app), wanted, rollout, isSpecNew, units, status, nowMs });
    return { ...plan, problems, isPlanned: true };
  } catch (error) {
    if (!hasCode(error, 'Invalid')) throw error;
    return { ...unchanged, problems: [error.message, ...problems] };
  }
}

/** Which units are to be brought to which revision now, and the whole status. At what was reached it plans nothing. Pure. */
export function planApp(facts: AppFacts): RolloutPlan {
  const { app, units, nowMs } = facts;
  const { status, steps, againMs, ...rest } = plannedOf(facts);
  const { generation } = app.metadata;
  const observed = generation === undefined ? {} : { observedGeneration: generation };
  const conditions = conditionsOf({ status, units, ...rest }).map((one) => ({ ...one, ...observed }));
  const whole: UnitAppStatus = {
    ...status,
    ...observed,
    conditions: transitioned(app.status?.conditions, conditions, timestamp(nowMs)),
  };
  return { status: whole, steps, againMs };
}

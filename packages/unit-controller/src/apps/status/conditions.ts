import { type UnitAppStatus, unitAppConditions } from '@selvedge/api';
import type { UnitFacts } from '../../rollout/index.ts';
import type { NewCondition } from '../../units/index.ts';

export interface ConditionFacts {
  /** Of the rollout, as it is written with the conditions. */
  readonly status: UnitAppStatus;
  /** All that are selected. */
  readonly units: readonly UnitFacts[];
  /** What cannot be used, for people. */
  readonly problems: readonly string[];
  /** The status is about what is wanted; else there is no telling, and it is that of before. */
  readonly isPlanned: boolean;
}

type Verdict = Pick<NewCondition, 'status' | 'reason' | 'message'>;

/** Of a condition's message. */
const maxNamed = 3;
const maxMessage = 1_024;

const verdict = (status: NewCondition['status'], reason: string, message = ''): Verdict => ({
  status,
  reason,
  message: message.slice(0, maxMessage),
});

function namedIn({ problems }: ConditionFacts): string {
  const more = problems.length > maxNamed ? `; and ${problems.length - maxNamed} more` : '';
  return `${problems.slice(0, maxNamed).join('; ')}${more}`;
}

const linked = ({ units }: ConditionFacts): number => units.filter(({ isConnected }) => isConnected).length;

function availableVerdict(facts: ConditionFacts): Verdict {
  const { healthy = 0 } = facts.status.totals ?? {};
  const units = linked(facts);
  if (units === 0) return verdict('Unknown', 'NoLink', 'no unit that is selected has a link');
  if (healthy >= units) return verdict('True', 'Healthy');
  return verdict('False', 'Unhealthy', `${healthy} of ${units} units with a link are healthy`);
}

function updatedVerdict(facts: ConditionFacts): Verdict {
  const { rollout, updateRevision = 0 } = facts.status;
  const { state = 'Progressing', message = '' } = rollout ?? {};
  if (!facts.isPlanned) return verdict('False', 'Invalid', namedIn(facts));
  const units = linked(facts);
  const updated = facts.units.filter(
    ({ isConnected, clone }) => isConnected && clone?.revision === updateRevision,
  ).length;
  if (state !== 'Done') return verdict('False', state, message || `${updated} of ${units} units have it`);
  if (updated === units) return verdict('True', 'Done');
  return verdict('False', 'Late', `${updated} of ${units} units with a link have it`);
}

function progressingVerdict({ status }: ConditionFacts): Verdict {
  const { state, wave = '', message = '' } = status.rollout ?? {};
  if (state === undefined) return verdict('False', 'NotStarted');
  const isUnderWay = state === 'Progressing' || state === 'Baking' || state === 'RollingBack';
  return verdict(isUnderWay ? 'True' : 'False', state, message || (isUnderWay ? `wave ${wave}` : ''));
}

const invalidVerdict = (facts: ConditionFacts): Verdict =>
  facts.problems.length === 0 ? verdict('False', 'Valid') : verdict('True', 'Invalid', namedIn(facts));

/** For `kubectl wait` and people. Pure. */
export const conditionsOf = (facts: ConditionFacts): readonly NewCondition[] => [
  { type: unitAppConditions.available, ...availableVerdict(facts) },
  { type: unitAppConditions.updated, ...updatedVerdict(facts) },
  { type: unitAppConditions.progressing, ...progressingVerdict(facts) },
  { type: unitAppConditions.invalid, ...invalidVerdict(facts) },
];

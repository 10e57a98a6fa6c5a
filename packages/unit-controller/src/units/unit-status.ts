import {
  type EdgeUnitConflict,
  type EdgeUnitCounts,
  type EdgeUnitMember,
  type EdgeUnitStatus,
  type NodeState,
  edgeUnitConditions,
} from '@selvedge/api';
import type { Lost } from '../membership/index.ts';
import type { EdgeUnitObject } from '../objects.ts';
import { type NewCondition, transitioned } from './condition.ts';

export interface MemberFacts {
  readonly name: string;
  readonly addresses: readonly string[];
  readonly state: NodeState | undefined;
  /** It has all that the unit gives but for `conflicts`. */
  readonly settled: boolean;
  /** Fields that somebody else has given another value. */
  readonly conflicts: readonly string[];
}

export interface UnitFacts {
  readonly unit: EdgeUnitObject;
  /** Sorted by name. */
  readonly members: readonly MemberFacts[];
  /** Nodes that belong to it no more and still have something of it. */
  readonly leaving: readonly string[];
  readonly lost: readonly Lost[];
  readonly missing: readonly string[];
  /** Why its selector selects nothing. */
  readonly problem: string | undefined;
  /** RFC 3339. */
  readonly now: string;
}

/** As many as the schema allows. */
const maxMembers = 1_000;
const maxConflicts = 64;
const maxFields = 8;
const maxAddresses = 8;
/** Of a condition's message. */
const maxNamed = 3;

const isDeleting = ({ unit }: UnitFacts): boolean => unit.metadata.deletionTimestamp !== undefined;

const shownMember = ({ name, addresses, state }: MemberFacts): EdgeUnitMember => ({
  name,
  ...(addresses.length === 0 ? {} : { addresses: addresses.slice(0, maxAddresses) }),
  ...(state === undefined ? {} : { state }),
});

function conflictsOf({ lost, members }: UnitFacts): readonly EdgeUnitConflict[] {
  const fields = members
    .filter(({ conflicts }) => conflicts.length > 0)
    .map(({ name, conflicts }) => ({ node: name, fields: conflicts.slice(0, maxFields) }));
  return [...lost.map(({ node, unit }) => ({ node, unit })), ...fields];
}

function countsOf({ members, missing }: UnitFacts, conflicts: number): EdgeUnitCounts {
  const inState = (state: NodeState): number => members.filter((member) => member.state === state).length;
  return {
    members: members.length,
    settled: members.filter(({ settled }) => settled).length,
    missing: missing.length,
    conflicts,
    connected: inState('Connected'),
    vouched: inState('Vouched'),
    autonomous: inState('Autonomous'),
    expired: inState('Expired'),
    dead: inState('Dead'),
  };
}

type Verdict = Pick<NewCondition, 'status' | 'reason' | 'message'>;

function settledVerdict(facts: UnitFacts): Verdict {
  const { members, leaving, problem } = facts;
  if (problem !== undefined) return { status: 'False', reason: 'InvalidSelector', message: problem };
  if (isDeleting(facts) && facts.unit.spec?.deletionPolicy !== 'release' && members.length > 0) {
    const message = 'the unit has members: take them out, or set spec.deletionPolicy to release';
    return { status: 'False', reason: 'DeletionRefused', message };
  }
  const joining = members.filter(({ settled }) => !settled).length;
  if (joining + leaving.length === 0) return { status: 'True', reason: 'Settled', message: '' };
  return { status: 'False', reason: 'Progressing', message: `${joining} joining, ${leaving.length} leaving` };
}

const textOf = ({ node, unit, fields = [] }: EdgeUnitConflict): string =>
  unit === undefined
    ? `${node} has other values of ${fields.slice(0, maxNamed).join(', ')}`
    : `${node} belongs to ${unit}`;

function conflictVerdict(conflicts: readonly EdgeUnitConflict[]): Verdict {
  if (conflicts.length === 0) return { status: 'False', reason: 'NoConflicts', message: '' };
  const more = conflicts.length > maxNamed ? `; and ${conflicts.length - maxNamed} more` : '';
  const message = `${conflicts.slice(0, maxNamed).map(textOf).join('; ')}${more}`;
  return { status: 'True', reason: 'Conflicts', message };
}

/** What the status should say. The same facts at another time give the same, but for conditions that changed. Pure. */
export function statusOf(facts: UnitFacts): EdgeUnitStatus {
  const { unit, members, now } = facts;
  const { generation } = unit.metadata;
  const conflicts = conflictsOf(facts);
  const observed = generation === undefined ? {} : { observedGeneration: generation };
  const conditions = [
    { type: edgeUnitConditions.settled, ...settledVerdict(facts), ...observed },
    { type: edgeUnitConditions.conflicted, ...conflictVerdict(conflicts), ...observed },
  ];
  return {
    ...observed,
    members: members.slice(0, maxMembers).map(shownMember),
    counts: countsOf(facts, new Set(conflicts.map(({ node }) => node)).size),
    conflicts: conflicts.slice(0, maxConflicts),
    conditions: transitioned(unit.status?.conditions, conditions, now),
  };
}

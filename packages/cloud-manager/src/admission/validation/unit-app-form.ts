import type { UnitAppSpec } from '@selvedge/api';
import { labelRequirementsOf } from '@selvedge/kube';
import { timetableOf } from '@selvedge/unit-controller';
import { problemOf } from './edge-unit.ts';
import { type Findings, joined, problems, warnings } from './findings.ts';

type Selector = NonNullable<UnitAppSpec['unitSelector']>;

/** RFC 6901: `~` stands before 0 or 1. */
const isPointer = (text: string): boolean => !/~(?![01])/.test(text);
const pointerProblem = (at: string, pointer: string | undefined): string | undefined =>
  pointer === undefined || isPointer(pointer)
    ? undefined
    : `${at}: ${pointer} is no JSON pointer: after ~ comes 0 or 1`;

function checkSelectors({ unitSelector, overrides = [], rollout }: UnitAppSpec): Findings {
  const all: readonly (readonly [string, Selector | undefined])[] = [
    ['spec.unitSelector', unitSelector],
    ...overrides.map((one) => [`spec.overrides[${one.name}].unitSelector`, one.unitSelector] as const),
    ...(rollout?.waves ?? []).map(
      (wave) => [`spec.rollout.waves[${wave.name}].unitSelector`, wave.unitSelector] as const,
    ),
  ];
  return problems(
    ...all.map(([at, selector]) => {
      const problem = selector && problemOf(() => labelRequirementsOf(selector));
      return problem === undefined ? undefined : `${at}: ${problem}`;
    }),
  );
}

function checkPointers({ unmanagedFields = [], overrides = [], rollout }: UnitAppSpec): Findings {
  const patches = overrides.flatMap(({ name, jsonPatch = [] }) =>
    jsonPatch.flatMap(({ path, from }) =>
      [path, from].map((pointer) => pointerProblem(`spec.overrides[${name}].jsonPatch`, pointer)),
    ),
  );
  return problems(
    ...unmanagedFields.map((pointer) => pointerProblem('spec.unmanagedFields', pointer)),
    ...patches,
    pointerProblem('spec.rollout.healthGate.metric.field', rollout?.healthGate?.metric?.field),
  );
}

function checkSchedules({ scaling }: UnitAppSpec): Findings {
  const timetable = timetableOf(scaling?.schedules);
  return problems(timetable.kind === 'unusable' ? `spec.scaling.schedules: ${timetable.why}` : undefined);
}

/** Each percentage counts the waves before it, so one that is no more than another takes no unit. */
function checkWaves({ rollout }: UnitAppSpec): Findings {
  let reached = 0;
  const idle = (rollout?.waves ?? []).filter(({ percentage = 101 }) => {
    const isIdle = percentage <= reached;
    if (percentage <= 100) reached = Math.max(reached, percentage);
    return isIdle;
  });
  return warnings(
    ...idle.map(
      ({ name, percentage }) =>
        `spec.rollout.waves[${name}]: ${percentage}% of the units are in waves before it`,
    ),
  );
}

/** https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#forced-rollback */
function checkGoingBack({ template, rollout }: UnitAppSpec): Findings {
  const isOrdered = template.kind === 'StatefulSet' && template.spec['podManagementPolicy'] !== 'Parallel';
  return warnings(
    isOrdered && rollout?.onFailure === 'rollback'
      ? 'spec.rollout.onFailure: rollback does not heal a StatefulSet by itself unless its podManagementPolicy is Parallel: a pod that never became ready has to be deleted by hand'
      : undefined,
  );
}

/** What can be said of a UnitApp without any unit: selectors, JSON pointers, schedules, waves, the way back. Pure. */
export const checkForm = (spec: UnitAppSpec): Findings =>
  joined(
    checkSelectors(spec),
    checkPointers(spec),
    checkSchedules(spec),
    checkWaves(spec),
    checkGoingBack(spec),
  );

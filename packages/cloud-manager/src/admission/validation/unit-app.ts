import type { UnitAppSpec } from '@selvedge/api';
import { messageOf } from '@selvedge/kit';
import { labelRequirementsOf } from '@selvedge/kube';
import {
  type EdgeUnitObject,
  type UnitAppObject,
  isSelected,
  renderShared,
  renderUnit,
  substituted,
  timetableOf,
  valuesOf,
} from '@selvedge/unit-controller';
import { type UnitFacts, problemOf, shortList } from './edge-unit.ts';
import { type Findings, joined, nothing, problems, warnings } from './findings.ts';

/** Units for which it is rendered to see whether it can be, by name: an API server waits no longer than two seconds. */
const maxRendered = 200;

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

/** The URL as it is asked for a unit; credentials in it would be read by whoever reads the UnitApp. */
function metricProblem(url: string, unit: EdgeUnitObject): string | undefined {
  const text = substituted(url, valuesOf(unit), encodeURIComponent);
  if (!URL.canParse(text)) return `spec.rollout.healthGate.metric.url: ${text} is no URL`;
  const { username, password } = new URL(text);
  return username === '' && password === ''
    ? undefined
    : 'spec.rollout.healthGate.metric.url: no credentials belong in it';
}

/** Why there can be no clone in the unit. */
function unitProblem(app: UnitAppObject, unit: EdgeUnitObject): string | undefined {
  const { spec } = app;
  const url = spec.rollout?.healthGate?.metric?.url;
  try {
    renderUnit({ app, spec }, valuesOf(unit));
    return url === undefined ? undefined : metricProblem(url, unit);
  } catch (error) {
    return messageOf(error);
  }
}

function checkNames({ overrides = [] }: UnitAppSpec, units: readonly EdgeUnitObject[]): Findings {
  const names = new Set(units.map(({ metadata }) => metadata.name));
  const unknown = overrides.flatMap(({ units: wanted = [] }) => wanted.filter((name) => !names.has(name)));
  return warnings(
    unknown.length === 0 ? undefined : `spec.overrides: there are no units ${shortList(unknown)} yet`,
  );
}

interface Failed {
  readonly unit: string;
  readonly problem: string;
}

/** How many units were tried, and where it failed. */
function tryIn(
  app: UnitAppObject,
  units: readonly EdgeUnitObject[],
  hasTime: () => boolean,
): { readonly tried: number; readonly failed: readonly Failed[] } {
  const failed: Failed[] = [];
  let tried = 0;
  for (const unit of units.slice(0, maxRendered)) {
    if (!hasTime()) break;
    tried += 1;
    const problem = unitProblem(app, unit);
    if (problem !== undefined) failed.push({ unit: unit.metadata.name ?? '', problem });
  }
  return { tried, failed };
}

function checkRendering(
  app: UnitAppObject,
  units: readonly EdgeUnitObject[],
  { hasTime }: UnitFacts,
): Findings {
  const selected = units.filter((unit) => isSelected(app.spec.unitSelector, valuesOf(unit)));
  const { tried, failed } = tryIn(app, selected, hasTime);
  const byProblem = Map.groupBy(failed, ({ problem }) => problem);
  const left = selected.length - tried;
  return joined(
    problems(
      ...Array.from(
        byProblem,
        ([problem, all]) => `in ${shortList(all.map(({ unit }) => unit))}: ${problem}`,
      ),
      problemOf(() => renderShared({ app, spec: app.spec })),
    ),
    warnings(
      selected.length === 0 ? 'spec.unitSelector selects no unit yet' : undefined,
      left > 0 ? `tried in ${tried} units, not in ${left} others` : undefined,
    ),
  );
}

/** What the schema cannot say of a UnitApp: above all whether its clones can be made. Pure. */
export function checkUnitApp(app: UnitAppObject, facts: UnitFacts): Findings {
  const { spec } = app;
  const known = Array.from(facts.units());
  const formal = joined(checkSelectors(spec), checkPointers(spec), checkSchedules(spec), checkWaves(spec));
  // What selects nothing that can be told, or points nowhere, cannot be rendered either.
  const rendered = formal.problems.length > 0 ? nothing : checkRendering(app, known, facts);
  return joined(formal, checkNames(spec, known), rendered);
}

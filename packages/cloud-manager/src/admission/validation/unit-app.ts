import type { UnitAppSpec } from '@selvedge/api';
import { messageOf } from '@selvedge/kit';
import {
  type EdgeUnitObject,
  type UnitAppObject,
  isSelected,
  renderShared,
  renderUnit,
  substituted,
  valuesOf,
} from '@selvedge/unit-controller';
import { type UnitFacts, problemOf, shortList } from './edge-unit.ts';
import { type Findings, joined, nothing, problems, warnings } from './findings.ts';
import { checkForm } from './unit-app-form.ts';

/** Units for which it is rendered to see whether it can be, by name: an API server waits no longer than two seconds. */
const maxRendered = 200;

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

const byName = (one: EdgeUnitObject, other: EdgeUnitObject): number =>
  (one.metadata.name ?? '') < (other.metadata.name ?? '') ? -1 : 1;

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
  const known = Array.from(facts.units()).toSorted(byName);
  const form = checkForm(spec);
  // What selects nothing that can be told, or points nowhere, cannot be rendered either.
  const rendered = form.problems.length > 0 ? nothing : checkRendering(app, known, facts);
  return joined(form, checkNames(spec, known), rendered);
}

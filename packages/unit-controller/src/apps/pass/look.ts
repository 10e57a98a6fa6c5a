import { messageOf } from '@selvedge/kit';
import { keyOf, labelRequirementsOf } from '@selvedge/kube';
import type { UnitAppObject } from '../../objects.ts';
import type { RevisionContent, UnitFacts } from '../../rollout/index.ts';
import { nextScheduleChange, scheduledReplicas, timetableOf } from '../../scaling/index.ts';
import type { AppFacts } from '../status/index.ts';
import type { AppView } from '../view/index.ts';
import type { Intent } from '../children/index.ts';
import { type Refusals, sharedUnit } from '../facts/index.ts';
import type { History, KeptHistory } from '../keeping/index.ts';
import { byUnit } from './leftovers.ts';
import { type Rendered, Rendering } from './rendering.ts';
import { type SelectedUnit, selectedBy } from './selected-unit.ts';
import { type UnitFactsDeps, unitFactsOf } from './unit-facts.ts';

export interface LookDeps extends UnitFactsDeps {
  readonly view: AppView;
  readonly history: History;
}

/** A UnitApp, its units and what is there of it, at one moment. */
export interface Look {
  readonly app: UnitAppObject;
  readonly units: readonly SelectedUnit[];
  readonly history: KeptHistory;
  readonly rendering: Rendering;
  /** What all units share. */
  readonly shared: Rendered;
  readonly facts: AppFacts;
  /** Units to which something was refused long enough ago to try it again, as if it had not been. */
  readonly retried: readonly UnitFacts[];
  /** When a timetable says another number, or something may be tried again. */
  readonly moments: readonly number[];
  /** What it says cannot be used: clones stay as they are. */
  readonly isHeld: boolean;
  /** It selects no unit, and units that are there have what it made: nobody means to take that from all at once. */
  readonly isEmptied: boolean;
}

const present = <T>(values: readonly (T | undefined)[]): ReadonlySet<T> =>
  new Set(values.filter((value) => value !== undefined));

/** Revisions that somebody needs, whatever the limit. */
function inUse({ status }: UnitAppObject, units: readonly SelectedUnit[]): ReadonlySet<number> {
  const numbers = present([
    status?.currentRevision,
    status?.rollout?.revision,
    ...units.map(({ revision }) => revision),
  ]);
  return new Set(Array.from(numbers).filter((number) => number > 0));
}

async function contentsOf(
  { app, kept, numbers }: { app: UnitAppObject; kept: KeptHistory; numbers: ReadonlySet<number> },
  history: History,
  signal: AbortSignal,
): Promise<ReadonlyMap<number, RevisionContent>> {
  const contents = new Map<number, RevisionContent>();
  for (const number of numbers) {
    const revision = kept.revisions.get(number);
    const content = revision && (await history.content(app, revision, signal));
    if (content !== undefined) contents.set(number, content);
  }
  return contents;
}

function isEmptied(app: UnitAppObject, selected: readonly SelectedUnit[], view: AppView): boolean {
  if (selected.length > 0) return false;
  const had = Array.from(byUnit(app, view.childrenOf(keyOf(app))).keys());
  return had.some((unit) => view.readers.units.get(unit) !== undefined);
}

const emptied = 'spec.unitSelector selects no unit any more: what there is in units stays';

const none: Rendered = { kind: 'intents', intents: [] };

/** As the revision has it that all units had last: it cannot come in waves. */
function sharedOf({ status }: UnitAppObject, wanted: number | undefined, rendering: Rendering): Rendered {
  const { currentRevision = 0 } = status ?? {};
  const current = currentRevision === 0 ? none : rendering.shared(currentRevision);
  const isThere = current.kind === 'problem' || current.intents.length > 0;
  return isThere || wanted === undefined ? current : rendering.shared(wanted);
}

export const sharedIntents = ({ shared }: Pick<Look, 'shared'>): readonly Intent[] =>
  shared.kind === 'intents' ? shared.intents : [];

/** Units to which something was refused that may be tried again. */
function retriedIn({ app, units, nowMs }: AppFacts, refusals: Refusals): readonly UnitFacts[] {
  return units.flatMap(({ problem, ...unit }) => {
    const { untilMs = Infinity, why } = refusals.get(app.metadata.uid ?? '', unit.name) ?? {};
    return problem === why && untilMs <= nowMs ? [unit] : [];
  });
}

/** What cannot be used, of a unit. */
const namedProblem = (app: string, { name, problem }: UnitFacts, refusals: Refusals): string | undefined => {
  const why = problem ?? refusals.get(app, name)?.why;
  return why === undefined ? undefined : `${name}: ${why}`;
};

/** Why its selector is none. It selects nothing then, which must not be mistaken for the wish to run nowhere. */
export function selectorProblemOf({ spec }: UnitAppObject): string | undefined {
  try {
    labelRequirementsOf(spec.unitSelector);
    return undefined;
  } catch (error) {
    return `spec.unitSelector: ${messageOf(error)}`;
  }
}

/** Looks at everything once; the revision of the spec is kept from then on. Throws `Invalid` for a selector that is none. */
export async function lookAt(
  app: UnitAppObject,
  { nowMs, signal }: { readonly nowMs: number; readonly signal: AbortSignal },
  deps: LookDeps,
): Promise<Look> {
  const { uid = '' } = app.metadata;
  const selected = selectedBy(app, deps.view);
  const used = inUse(app, selected);
  const history = await deps.history.keep(app, used, signal);
  const wanted = history.wanted?.number;
  const numbers = present([...used, wanted]);
  const contents = await contentsOf({ app, kept: history, numbers }, deps.history, signal);
  const timetable = timetableOf(app.spec.scaling?.schedules);
  const { replicas } = scheduledReplicas(timetable, nowMs) ?? {};
  const rendering = new Rendering({ app, contents, replicas });
  const options = { app, wanted, revisions: history.revisions, rendering, nowMs };
  const units = selected.map((unit) => unitFactsOf(unit, options, deps));
  const shared = sharedOf(app, wanted, rendering);
  const hasNone = isEmptied(app, selected, deps.view);
  const problems = [
    hasNone ? emptied : undefined,
    history.problem,
    timetable.kind === 'unusable' ? timetable.why : undefined,
    shared.kind === 'problem' ? shared.why : deps.refusals.get(uid, sharedUnit)?.why,
    ...units.map((unit) => namedProblem(uid, unit, deps.refusals)),
  ].filter((problem) => problem !== undefined);
  const facts: AppFacts = { app, wanted, units, problems, nowMs };
  return {
    app,
    units: selected,
    history,
    rendering,
    shared,
    facts,
    retried: retriedIn(facts, deps.refusals),
    moments: [
      ...present([nextScheduleChange(timetable, nowMs)]),
      ...units.flatMap(({ name }) => deps.refusals.get(uid, name)?.untilMs ?? []),
    ].filter((ms) => ms > nowMs),
    isHeld: timetable.kind === 'unusable',
    isEmptied: hasNone,
  };
}

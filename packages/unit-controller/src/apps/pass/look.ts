import type { UnitAppObject } from '../../objects.ts';
import type { RevisionContent } from '../../rollout/index.ts';
import { nextScheduleChange, scheduledReplicas, timetableOf } from '../../scaling/index.ts';
import type { AppFacts } from '../status/index.ts';
import type { AppView } from '../app-view.ts';
import type { History, KeptHistory } from '../history/index.ts';
import { Rendering } from './rendering.ts';
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
  readonly facts: AppFacts;
  /** When a timetable says another number. */
  readonly againMs: number | undefined;
  /** What it says cannot be used: clones stay as they are. */
  readonly isHeld: boolean;
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

/** Looks at everything once; the revision of the spec is kept from then on. */
export async function lookAt(
  app: UnitAppObject,
  { nowMs, signal }: { readonly nowMs: number; readonly signal: AbortSignal },
  deps: LookDeps,
): Promise<Look> {
  const units = selectedBy(app, deps.view);
  const used = inUse(app, units);
  const history = await deps.history.keep(app, used, signal);
  const wanted = history.wanted?.number;
  const numbers = present([...used, wanted]);
  const contents = await contentsOf({ app, kept: history, numbers }, deps.history, signal);
  const timetable = timetableOf(app.spec.scaling?.schedules);
  const { replicas } = scheduledReplicas(timetable, nowMs) ?? {};
  const rendering = new Rendering({ app, contents, replicas });
  const options = { app, wanted, rendering, nowMs };
  const facts = units.map((unit) => unitFactsOf(unit, options, deps));
  const problems = [
    ...(timetable.kind === 'unusable' ? [timetable.why] : []),
    ...facts.flatMap(({ name, problem }) => (problem === undefined ? [] : [`${name}: ${problem}`])),
  ];
  return {
    app,
    units,
    history,
    rendering,
    facts: { app, wanted, units: facts, problems, nowMs },
    againMs: nextScheduleChange(timetable, nowMs),
    isHeld: timetable.kind === 'unusable',
  };
}

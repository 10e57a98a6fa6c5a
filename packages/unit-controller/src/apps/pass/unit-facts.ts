import { keyOf } from '@selvedge/kube';
import { type MetricGate, restartsOf } from '../../gate/index.ts';
import { type UnitAppObject, nameOf } from '../../objects.ts';
import { type CloneFacts, type UnitFacts, isGoingBack } from '../../rollout/index.ts';
import type { AppView } from '../view/index.ts';
import { podTemplateOf } from '../children/index.ts';
import { type Openings, type Refusals, isConnected, isCutInPart } from '../facts/index.ts';
import type { KeptHistory } from '../keeping/index.ts';
import type { Rendering } from './rendering.ts';
import type { SelectedUnit } from './selected-unit.ts';

export interface UnitFactsDeps {
  readonly view: AppView;
  readonly openings: Openings;
  readonly refusals: Refusals;
  readonly metricGate: Pick<MetricGate, 'read'>;
}

export interface UnitFactsOptions {
  readonly app: UnitAppObject;
  /** The number of the revision to roll out; undefined: there is none. */
  readonly wanted: number | undefined;
  readonly revisions: KeptHistory['revisions'];
  readonly rendering: Rendering;
  readonly nowMs: number;
}

/** Asked only while the rollout goes by it. */
function readMetricOf(
  unit: SelectedUnit,
  { app, wanted }: UnitFactsOptions,
  { metricGate }: UnitFactsDeps,
): Pick<CloneFacts, 'readMetric'> {
  const { metric } = app.spec.rollout?.healthGate ?? {};
  const { revision } = unit;
  if (metric === undefined || revision === undefined || revision !== wanted) return {};
  const { uid = '' } = app.metadata;
  return { readMetric: () => metricGate.read({ app: keyOf(app), uid, unit, revision, metric }) };
}

function cloneFacts(
  unit: SelectedUnit,
  options: UnitFactsOptions,
  deps: UnitFactsDeps,
): CloneFacts | undefined {
  const { clone, revision, name } = unit;
  if (clone?.facts === undefined || revision === undefined) return undefined;
  const { app } = options;
  const template = podTemplateOf(clone) ?? '';
  const { namespace = '' } = app.metadata;
  const sinceMs = options.revisions.get(revision)?.createdMs ?? 0;
  const pods = { namespace, app: nameOf(app), unit: name, template, sinceMs };
  const restarts = restartsOf(deps.view.readers.pods, pods);
  return { revision, ...clone.facts, restarts, ...readMetricOf(unit, options, deps) };
}

/** What the rollout brings, or what it goes back to. */
function targetOf({ app, wanted }: UnitFactsOptions): number | undefined {
  const { rollout, currentRevision } = app.status ?? {};
  return rollout?.revision === wanted && rollout !== undefined && isGoingBack(rollout)
    ? currentRevision
    : wanted;
}

/** What the API server said of a revision that the unit might be brought to. */
function refusalOf(unit: SelectedUnit, options: UnitFactsOptions, refusals: Refusals): string | undefined {
  const { app } = options;
  const { revision, why } = refusals.get(app.metadata.uid ?? '', unit.name) ?? {};
  const isTarget = revision === targetOf(options) || revision === app.status?.currentRevision;
  return isTarget && revision !== unit.revision ? why : undefined;
}

function renderingProblemOf(unit: SelectedUnit, options: UnitFactsOptions): string | undefined {
  const target = targetOf(options);
  if (target === undefined || target === unit.revision) return undefined;
  const rendered = options.rendering.of(unit, target);
  return rendered.kind === 'problem' ? rendered.why : undefined;
}

/** What the rollout is planned from, of one unit. */
export function unitFactsOf(unit: SelectedUnit, options: UnitFactsOptions, deps: UnitFactsDeps): UnitFacts {
  const { name, labels, edgeUnit } = unit;
  const opening = deps.openings.of(edgeUnit, options.nowMs);
  const isRespected = options.app.spec.rollout?.maintenanceWindows !== 'ignore';
  const closed = opening.kind === 'unreadable' && isRespected ? opening.why : undefined;
  const refusal = refusalOf(unit, options, deps.refusals);
  const problem = closed ?? refusal ?? renderingProblemOf(unit, options);
  return {
    name,
    labels,
    isConnected: isConnected(edgeUnit),
    isCutInPart: isCutInPart(edgeUnit),
    opensMs: opening.kind === 'opens' ? opening.atMs : undefined,
    ...(problem === undefined ? {} : { problem }),
    clone: cloneFacts(unit, options, deps),
  };
}

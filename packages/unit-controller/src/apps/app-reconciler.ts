import type { Clock } from '@selvedge/kit';
import type { ReconcileResult } from '@selvedge/kube';
import type { UnitAppObject } from '../objects.ts';
import type { History } from './keeping/index.ts';
import type { RolloutStep } from '../rollout/index.ts';
import { isPassing } from './outcomes.ts';
import {
  type Carrier,
  type Look,
  type LookDeps,
  type Reporter,
  type Sweeper,
  lookAt,
  selectorProblemOf,
} from './pass/index.ts';
import { planApp } from './status/index.ts';
import type { AppView } from './view/index.ts';

export interface AppReconcilerDeps extends LookDeps {
  readonly view: AppView;
  readonly history: History;
  readonly reporter: Reporter;
  readonly carrier: Carrier;
  readonly sweeper: Sweeper;
  readonly clock: Clock;
}

const earliest = (moments: readonly (number | undefined)[]): number | undefined =>
  moments.reduce((one, other) => (one === undefined || (other ?? Infinity) < one ? other : one), undefined);

/** What was refused is said of its unit until it is accepted, and is tried as if it had not been. */
function retriesIn({ facts, retried }: Look): readonly RolloutStep[] {
  if (retried.length === 0) return [];
  const names = new Set(retried.map(({ name }) => name));
  const others = facts.units.filter(({ name }) => !names.has(name));
  const { steps } = planApp({ ...facts, units: [...others, ...retried] });
  return steps.filter(({ unit }) => names.has(unit));
}

/**
 * One pass over a UnitApp: look, plan, write what was planned, do it, take away what is left. The status is written first,
 * on the condition that nobody has written it since: nothing is done by a plan that another has overtaken.
 */
async function pass(
  app: UnitAppObject,
  signal: AbortSignal,
  deps: AppReconcilerDeps,
): Promise<ReconcileResult | undefined> {
  const { clock, reporter, carrier, sweeper, history } = deps;
  const nowMs = clock.now();
  const problem = selectorProblemOf(app);
  if (problem !== undefined) {
    const { status } = planApp({ app, wanted: undefined, units: [], problems: [problem], nowMs });
    await reporter.report(app, status, signal);
    return undefined;
  }
  const look = await lookAt(app, { nowMs, signal }, deps);
  const plan = planApp(look.facts);
  await reporter.report(app, plan.status, signal);
  const steps = [...plan.steps, ...retriesIn(look)];
  const { moments, failure } = await carrier.carryOut(look, steps, signal);
  const left = await sweeper.sweep(look, signal);
  await history.remove(app, look.history.remove, signal);
  if (failure !== undefined) throw failure.error;
  const againMs = earliest([plan.againMs, ...look.moments, ...moments, ...left]);
  return againMs === undefined ? undefined : { againAfterMs: Math.max(0, againMs - nowMs) };
}

/** Brings one UnitApp a step further; nothing is written when nothing changed. */
export function createAppReconciler(
  { soonMs }: { readonly soonMs: number },
  deps: AppReconcilerDeps,
): (key: string, signal: AbortSignal) => Promise<ReconcileResult | undefined> {
  const { view } = deps;
  return async (key, signal) => {
    const app = view.apps.get(key);
    if (app === undefined || app.metadata.deletionTimestamp !== undefined) return undefined;
    try {
      return await pass(app, signal, deps);
    } catch (error) {
      if (!isPassing(error)) throw error;
      view.apps.forget(key);
      return { againAfterMs: soonMs };
    }
  };
}

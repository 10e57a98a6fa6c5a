import { isDeepStrictEqual } from 'node:util';
import type { UnitAppStatus } from '@selvedge/api';
import { type Clock, type Logger, hasCode } from '@selvedge/kit';
import {
  type EventContent,
  type EventRecorder,
  type KubeClient,
  type ReconcileResult,
  applyPatch,
  keyOf,
} from '@selvedge/kube';
import { type UnitAppObject, nameOf, unitAppResource } from '../objects.ts';
import type { RolloutPlan, RolloutStep } from '../rollout/index.ts';
import type { AppView } from './app-view.ts';
import type { Keeper } from './children/index.ts';
import type { Refusals } from './facts/index.ts';
import type { History } from './history/index.ts';
import type { AppMetrics } from './metrics.ts';
import { byUnit, leftOfShared } from './pass/leftovers.ts';
import { type Look, type LookDeps, lookAt } from './pass/look.ts';
import { type Task, UnitBringer } from './pass/unit-bringer.ts';
import { newsOf, planApp } from './status/index.ts';
import { writing } from './writing.ts';

export interface AppReconcilerDeps extends LookDeps {
  readonly client: Pick<KubeClient, 'patch'>;
  readonly view: AppView;
  readonly history: History;
  readonly keeper: Keeper;
  readonly refusals: Refusals;
  readonly events: Pick<EventRecorder, 'record'>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: AppMetrics;
}

export interface AppReconcilerOptions {
  /** How soon it is looked again at what others changed in between, in milliseconds. */
  readonly soonMs: number;
  /** How often a metric is read while a rollout goes by it, in milliseconds. */
  readonly metricMs: number;
}

const asJson = (value: unknown): unknown => JSON.parse(JSON.stringify(value ?? {}));

/** What a write comes to when somebody else was faster: the watch brings what he did. */
const passing = ['Conflict', 'NotFound', 'AlreadyExists'] as const;
/** What the API server would say again. */
const final = ['Invalid', 'Forbidden', 'Unsupported'] as const;

class AppReconciler {
  readonly #options: AppReconcilerOptions;
  readonly #deps: AppReconcilerDeps;
  readonly #bringer: UnitBringer;

  constructor(options: AppReconcilerOptions, deps: AppReconcilerDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#bringer = new UnitBringer(deps.keeper);
  }

  async reconcile(key: string, signal: AbortSignal): Promise<ReconcileResult | undefined> {
    const app = this.#deps.view.apps.get(key);
    if (app === undefined || app.metadata.deletionTimestamp !== undefined) return undefined;
    try {
      return await this.#pass(app, signal);
    } catch (error) {
      if (!hasCode(error, ...passing)) throw error;
      this.#deps.view.apps.forget(key);
      return { againAfterMs: this.#options.soonMs };
    }
  }

  async #pass(app: UnitAppObject, signal: AbortSignal): Promise<ReconcileResult | undefined> {
    const nowMs = this.#deps.clock.now();
    const look = await lookAt(app, { nowMs, signal }, this.#deps);
    const plan = planApp(look.facts);
    await this.#report(app, plan.status, signal);
    const laterMs = await this.#carryOut(look, plan.steps, signal);
    await this.#deps.history.remove(app, look.history.remove, signal);
    return this.#again(look, plan, laterMs);
  }

  /** Nothing is written when nothing changed. Nothing is done by a plan whose status another was faster to write. */
  async #report(app: UnitAppObject, status: UnitAppStatus, signal: AbortSignal): Promise<void> {
    if (isDeepStrictEqual(asJson(status), asJson(app.status))) return;
    const { client, metrics, view } = this.#deps;
    const { namespace, resourceVersion, uid } = app.metadata;
    const patch = applyPatch({ metadata: { resourceVersion, uid }, status });
    const options = { ...writing, patch, subresource: 'status', force: true, signal };
    metrics.writes.add({ what: 'status' });
    view.apps.wrote(await client.patch(unitAppResource, { namespace, name: nameOf(app) }, options));
    for (const news of newsOf(app.status, status)) this.#tell(app, news);
  }

  /** Each unit on its own: one that cannot be brought holds up none of the others. When to look again. */
  async #carryOut(
    look: Look,
    steps: readonly RolloutStep[],
    signal: AbortSignal,
  ): Promise<readonly number[]> {
    const outcomes = await Promise.allSettled([
      ...this.#tasksOf(look, steps).map((task) => this.#bring(look, task, signal)),
      this.#share(look, signal),
    ]);
    signal.throwIfAborted();
    const failed = outcomes.find((outcome) => outcome.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
    await this.#sweep(look, signal);
    return outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? (outcome.value ?? []) : []));
  }

  #tasksOf(look: Look, steps: readonly RolloutStep[]): readonly Task[] {
    const { view } = this.#deps;
    const made = byUnit(look.app, view.childrenOf(keyOf(look.app)));
    const stepOf = new Map(steps.map(({ unit, revision }) => [unit, revision] as const));
    return look.units.flatMap((unit) => {
      const step = stepOf.get(unit.name);
      const revision = step ?? (look.isHeld ? undefined : unit.revision);
      const isUnknown = revision === undefined || revision === 0;
      return isUnknown
        ? []
        : [{ unit, revision, isStep: step !== undefined, made: made.get(unit.name) ?? [] }];
    });
  }

  /** When it is to be looked at again although nothing has changed. */
  async #bring(look: Look, task: Task, signal: AbortSignal): Promise<number | undefined> {
    const { refusals, metrics } = this.#deps;
    const { nowMs } = look.facts;
    const [key, unit] = [keyOf(look.app), task.unit.name];
    const last = refusals.get(key, unit);
    if (last?.revision === task.revision && last.untilMs > nowMs) return last.untilMs;
    try {
      await this.#bringer.bring(look, task, signal);
    } catch (error) {
      this.#onFailure(look, task, error);
      return nowMs + this.#options.soonMs;
    }
    if (task.isStep) metrics.steps.add();
    refusals.clear(key, unit);
    return undefined;
  }

  /** What the API server would say again is remembered and told, what it would not passes; the rest rises. */
  #onFailure({ app, facts }: Look, { unit, revision }: Task, error: unknown): void {
    const { refusals, metrics, log } = this.#deps;
    if (hasCode(error, ...passing)) return;
    if (!hasCode(error, ...final)) throw error;
    metrics.refusals.add();
    const why = error.message;
    const at = { app: keyOf(app), unit: unit.name };
    if (!refusals.add(at, { revision, why }, facts.nowMs)) return;
    log.warn('a clone cannot be made', { ...at, revision, why });
    this.#tell(app, { type: 'Warning', reason: 'CloneRefused', message: `${unit.name}: ${why}` });
  }

  async #share(look: Look, signal: AbortSignal): Promise<undefined> {
    const { keeper } = this.#deps;
    const { uid: owner = '' } = look.app.metadata;
    for (const intent of sharedIn(look)) await keeper.keep(intent, { owner, signal });
    return undefined;
  }

  /** What is of units that are not selected any more, or of nothing that is kept. */
  async #sweep(look: Look, signal: AbortSignal): Promise<void> {
    const { view, keeper } = this.#deps;
    const made = view.childrenOf(keyOf(look.app));
    const selected = new Set(look.units.map(({ name }) => name));
    const kept = Array.from(look.history.revisions.values(), ({ name }) => name);
    const gone = Array.from(byUnit(look.app, made)).filter(([unit]) => !selected.has(unit));
    const left = leftOfShared(look.app, { intents: sharedIn(look), revisions: new Set(kept) }, made);
    const all = [...gone.flatMap(([, ofUnit]) => ofUnit), ...left];
    await Promise.all(all.map((one) => keeper.remove(one, signal)));
  }

  #again(
    { againMs, facts, app }: Look,
    plan: RolloutPlan,
    laterMs: readonly number[],
  ): ReconcileResult | undefined {
    const { metricMs } = this.#options;
    const { state } = plan.status.rollout ?? {};
    const isMeasured = app.spec.rollout?.healthGate?.metric !== undefined;
    const isWatched = isMeasured && (state === 'Progressing' || state === 'Baking');
    const moments = [
      plan.againMs,
      againMs,
      ...laterMs,
      isWatched ? facts.nowMs + metricMs : undefined,
    ].filter((ms) => ms !== undefined);
    return moments.length === 0 ? undefined : { againAfterMs: Math.min(...moments) - facts.nowMs };
  }

  #tell(app: UnitAppObject, news: EventContent): void {
    const { apiVersion, kind } = unitAppResource;
    const { namespace, uid } = app.metadata;
    this.#deps.events.record({ apiVersion, kind, namespace, name: nameOf(app), uid }, news);
  }
}

/** That of the revision that all units had last: a shared Service cannot come in waves. */
function sharedIn({ app, rendering, facts }: Look): ReturnType<Look['rendering']['shared']> {
  const { currentRevision = 0 } = app.status ?? {};
  const current = currentRevision === 0 ? [] : rendering.shared(currentRevision);
  return current.length > 0 || facts.wanted === undefined ? current : rendering.shared(facts.wanted);
}

/** Brings one UnitApp a step further; nothing is written when nothing changed. */
export function createAppReconciler(
  options: AppReconcilerOptions,
  deps: AppReconcilerDeps,
): (key: string, signal: AbortSignal) => Promise<ReconcileResult | undefined> {
  const reconciler = new AppReconciler(options, deps);
  return (key, signal) => reconciler.reconcile(key, signal);
}

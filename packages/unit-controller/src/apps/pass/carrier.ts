import type { Logger } from '@selvedge/kit';
import { keyOf } from '@selvedge/kube';
import type { RolloutStep } from '../../rollout/index.ts';
import type { AppView } from '../view/index.ts';
import type { Keeper } from '../keeping/index.ts';
import { type Refusals, isConnected, sharedUnit } from '../facts/index.ts';
import type { AppMetrics } from '../metrics.ts';
import { byUnit } from './leftovers.ts';
import { type Look, sharedIntents } from './look.ts';
import { isFinal, isPassing } from '../outcomes.ts';
import type { Reporter } from './reporter.ts';
import { type Task, UnitBringer } from './unit-bringer.ts';

export interface CarrierDeps {
  readonly view: AppView;
  readonly keeper: Keeper;
  readonly refusals: Refusals;
  readonly reporter: Reporter;
  readonly log: Logger;
  readonly metrics: AppMetrics;
}

/** Of one unit, or of what all share. */
interface Work {
  readonly unit: string;
  readonly revision: number;
  readonly run: () => Promise<void>;
}

/** What came of it. */
export interface Carried {
  /** When it is to be looked again although nothing has changed. */
  readonly moments: readonly number[];
  /** What may pass by itself. */
  readonly failure: { readonly error: unknown } | undefined;
}

/** Carries out what a look has led to. */
export class Carrier {
  readonly #deps: CarrierDeps;
  /** How soon it is looked again at what somebody was faster at, in milliseconds. */
  readonly #soonMs: number;
  readonly #bringer: UnitBringer;

  constructor({ soonMs }: { readonly soonMs: number }, deps: CarrierDeps) {
    this.#deps = deps;
    this.#soonMs = soonMs;
    this.#bringer = new UnitBringer(deps.keeper);
  }

  /** Each unit on its own: one that cannot be brought holds up none of the others. */
  async carryOut(look: Look, steps: readonly RolloutStep[], signal: AbortSignal): Promise<Carried> {
    const units = this.#tasksOf(look, steps).map((task) => this.#workOf(look, task, signal));
    const shared = { unit: sharedUnit, revision: 0, run: () => this.#share(look, signal) };
    const works = [...units, shared].map((work) => this.#carryOut(look, work));
    const outcomes = await Promise.allSettled(works);
    signal.throwIfAborted();
    const failed = outcomes.find((outcome) => outcome.status === 'rejected');
    return {
      moments: outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? (outcome.value ?? []) : [])),
      failure: failed && { error: failed.reason },
    };
  }

  /** What is no step waits while the unit has no link, as steps do. */
  #tasksOf({ app, units, isHeld }: Look, steps: readonly RolloutStep[]): readonly Task[] {
    const made = byUnit(app, this.#deps.view.childrenOf(keyOf(app)));
    const stepOf = new Map(steps.map(({ unit, revision }) => [unit, revision] as const));
    return units.flatMap((unit) => {
      const step = stepOf.get(unit.name);
      const isStep = step !== undefined;
      const { revision = 0 } = isStep ? { revision: step } : unit;
      const isLeft = isHeld || revision === 0 || !(isStep || isConnected(unit.edgeUnit));
      return isLeft ? [] : [{ unit, revision, isStep, made: made.get(unit.name) ?? [] }];
    });
  }

  #workOf(look: Look, task: Task, signal: AbortSignal): Work {
    const run = async (): Promise<void> => {
      await this.#bringer.bring(look, task, signal);
      if (task.isStep) this.#deps.metrics.steps.add();
    };
    return { unit: task.unit.name, revision: task.revision, run };
  }

  async #share(look: Look, signal: AbortSignal): Promise<void> {
    const { uid: owner = '' } = look.app.metadata;
    for (const intent of sharedIntents(look)) await this.#deps.keeper.keep(intent, { owner, signal });
  }

  async #carryOut(look: Look, work: Work): Promise<number | undefined> {
    const { refusals } = this.#deps;
    const { nowMs } = look.facts;
    const { uid = '' } = look.app.metadata;
    const last = refusals.get(uid, work.unit);
    if (last?.revision === work.revision && last.untilMs > nowMs) return last.untilMs;
    try {
      await work.run();
      refusals.clear(uid, work.unit);
      return undefined;
    } catch (error) {
      this.#onFailure(look, work, error);
      return nowMs + this.#soonMs;
    }
  }

  /** What the API server would say again is remembered and told, what it would not passes; the rest rises. */
  #onFailure({ app, facts }: Look, { unit, revision }: Work, error: unknown): void {
    const { refusals, metrics, log, reporter } = this.#deps;
    if (isPassing(error)) return;
    if (!isFinal(error)) throw error;
    metrics.refusals.add();
    const why = error.message;
    const { uid = '' } = app.metadata;
    if (!refusals.add({ app: uid, unit }, { revision, why }, facts.nowMs)) return;
    log.warn('a clone cannot be made', { app: keyOf(app), unit, revision, why });
    const message = unit === sharedUnit ? why : `${unit}: ${why}`;
    reporter.tell(app, { type: 'Warning', reason: 'CloneRefused', message });
  }
}

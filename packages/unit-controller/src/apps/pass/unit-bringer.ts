import { BoundedMap, SelvedgeError } from '@selvedge/kit';
import { keyOf } from '@selvedge/kube';
import { hashOf, horizontalPodAutoscalers } from '../../rendering/index.ts';
import type { Made } from '../view/index.ts';
import { type Intent, isWorkload } from '../children/index.ts';
import type { Keeper } from '../keeping/index.ts';
import { leftIn } from './leftovers.ts';
import type { Look } from './look.ts';
import type { SelectedUnit } from './selected-unit.ts';

/** A unit is to have a revision. */
export interface Task {
  readonly unit: SelectedUnit;
  readonly revision: number;
  /** It is a step of the rollout: its clone has had another one, or there was none. */
  readonly isStep: boolean;
  /** What there is of the unit. */
  readonly made: readonly Made[];
}

/** Clones that were found as they should be. */
const maxSettled = 200_000;

const identityOf = ({ resource, object }: Made): string => {
  const { metadata, owned } = object;
  return [
    resource.plural,
    keyOf(object),
    metadata.uid,
    JSON.stringify(metadata.annotations),
    owned?.hash,
  ].join();
};

/** All that it depends on whether anything is to be done: what is wanted, and what is there. */
function stateOf({ history, rendering }: Look, { unit, revision, made }: Task): string {
  const wanted = [rendering.basis, history.revisions.get(revision)?.hash, JSON.stringify(unit.labels)];
  return hashOf([...wanted, ...made.map(identityOf).toSorted()].join(';'));
}

/** Pods of the old template may still read what the new one does not. */
function isMoved({ clone }: SelectedUnit): boolean {
  if (clone?.facts === undefined) return true;
  const { isObserved, pods, updated, wanted } = clone.facts;
  return isObserved && pods === updated && updated >= wanted;
}

const isScaler = ({ resource }: Made): boolean => resource === horizontalPodAutoscalers;

/** Brings units to revisions, and keeps them there. */
export class UnitBringer {
  readonly #keeper: Keeper;
  readonly #settled = new BoundedMap<string, string>({ capacity: maxSettled });

  constructor(keeper: Keeper) {
    this.#keeper = keeper;
  }

  /** Rejects as `Keeper.keep` does. */
  async bring(look: Look, task: Task, signal: AbortSignal): Promise<void> {
    const { unit, revision, isStep, made } = task;
    const key = `${keyOf(look.app)}/${unit.name}`;
    const state = stateOf(look, task);
    if (!isStep && this.#settled.get(key) === state) return;
    const rendered = look.rendering.of(unit, revision);
    // It is left as it is.
    if (rendered.kind === 'problem') throw new SelvedgeError(rendered.why, { code: 'Invalid' });
    const left = leftIn(rendered.intents, made);
    for (const one of left.filter(isScaler)) await this.#keeper.remove(one, signal);
    const isSettled = await this.#keepAll(rendered.intents, { app: look.app, ...task }, signal);
    if (!isSettled || !isMoved(unit)) return;
    for (const one of left.filter((other) => !isScaler(other))) await this.#keeper.remove(one, signal);
    if (left.length === 0) this.#settled.set(key, state);
  }

  /** The workload after what it reads. */
  async #keepAll(
    intents: readonly Intent[],
    { app, unit, isStep }: Pick<Look, 'app'> & Task,
    signal: AbortSignal,
  ): Promise<boolean> {
    const { uid: owner = '' } = app.metadata;
    let isSettled = true;
    for (const intent of intents) {
      const step = isStep && isWorkload(intent) ? { from: unit.revision } : undefined;
      const isAsItWas = await this.#keeper.keep(intent, { owner, step, signal });
      isSettled &&= isAsItWas;
    }
    return isSettled;
  }
}

import { BoundedMap } from '@selvedge/kit';

/** Why a clone could not be made from a revision. */
export interface Refusal {
  readonly revision: number;
  readonly why: string;
  /** Until then it is not tried again, while the same is wanted. */
  readonly untilMs: number;
  /** For how long it was not tried. */
  readonly patienceMs: number;
}

/** In place of a unit's name: what all units share. */
export const sharedUnit = '';

/** Clones that could not be made. */
const maxRefusals = 100_000;
const minPatienceMs = 60_000;
const maxPatienceMs = 30 * 60_000;
const maxWhy = 1_024;

/** Remembers what the API server would refuse again, for a while. */
export class Refusals {
  readonly #refusals = new BoundedMap<string, Refusal>({ capacity: maxRefusals });

  /** By the uid of the UnitApp, for another of its name is another, and the name of the unit. */
  get(app: string, unit: string): Refusal | undefined {
    return this.#refusals.get(`${app}/${unit}`);
  }

  /** Whether it is news. What is not is waited for twice as long as the last time, up to half an hour. */
  add(
    at: { readonly app: string; readonly unit: string },
    refused: Pick<Refusal, 'revision' | 'why'>,
    nowMs: number,
  ): boolean {
    const key = `${at.app}/${at.unit}`;
    const { revision } = refused;
    const why = refused.why.slice(0, maxWhy);
    const before = this.#refusals.get(key);
    const isSame = before?.revision === revision && before.why === why;
    const patienceMs = isSame ? Math.min(maxPatienceMs, 2 * before.patienceMs) : minPatienceMs;
    this.#refusals.set(key, { revision, why, patienceMs, untilMs: nowMs + patienceMs });
    return before?.why !== why;
  }

  clear(app: string, unit: string): void {
    this.#refusals.delete(`${app}/${unit}`);
  }
}

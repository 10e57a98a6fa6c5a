import { BoundedMap } from '@selvedge/kit';

/** Why a clone could not be made from a revision. */
export interface Refusal {
  readonly revision: number;
  readonly why: string;
  /** Until then it is not tried again, while the same is wanted. */
  readonly untilMs: number;
}

/** In place of a unit's name: what all units share. */
export const sharedUnit = '';

/** Clones that could not be made. */
const maxRefusals = 100_000;
const patienceMs = 60_000;

/** Remembers what the API server would refuse again, for a while. */
export class Refusals {
  readonly #refusals = new BoundedMap<string, Refusal>({ capacity: maxRefusals });

  /** By the keys of the UnitApp and the unit. */
  get(app: string, unit: string): Refusal | undefined {
    return this.#refusals.get(`${app}/${unit}`);
  }

  /** Whether it is news. */
  add(
    at: { readonly app: string; readonly unit: string },
    { revision, why }: Omit<Refusal, 'untilMs'>,
    nowMs: number,
  ): boolean {
    const key = `${at.app}/${at.unit}`;
    const before = this.#refusals.get(key);
    this.#refusals.set(key, { revision, why, untilMs: nowMs + patienceMs });
    return before?.why !== why;
  }

  clear(app: string, unit: string): void {
    this.#refusals.delete(`${app}/${unit}`);
  }
}

import type { UnitAppRollout } from '@selvedge/api';
import { type UnitValues, hashOf, isSelected } from '../rendering/index.ts';

type Wave = NonNullable<UnitAppRollout['waves']>[number];

/** The wave of units that no other has. No wave of a UnitApp can be called so: their names are of small letters. */
export const lastWave = 'Others';

export interface Waves {
  /** In their order, the last one is `Others`. */
  readonly names: readonly string[];
  /** Of each unit the place of its wave in `names`. */
  readonly of: ReadonlyMap<string, number>;
}

const maxPercent = 100;

/** Whom a wave takes of those that are left. */
function takenBy(wave: Wave, left: readonly UnitValues[], all: number): readonly UnitValues[] {
  const { unitSelector, percentage = 0 } = wave;
  if (unitSelector !== undefined) return left.filter((unit) => isSelected(unitSelector, unit));
  const taken = all - left.length;
  return left.slice(0, Math.max(0, Math.ceil((all * percentage) / maxPercent) - taken));
}

export interface WavesOptions {
  readonly waves: readonly Wave[];
  /** Another one gives another order, so that not all UnitApps try out new revisions in the same units. */
  readonly seed: string;
}

/**
 * The wave of each unit: the first whose selector fits it or whose share has room for it. Shares are filled in an order
 * that depends on names only, so that a unit that comes or goes moves at most one other at the border of each share.
 * Throws `Invalid` for a selector that is none. Pure.
 */
export function wavesOf(units: readonly UnitValues[], { waves, seed }: WavesOptions): Waves {
  const of = new Map<string, number>();
  const ranked = units.map((unit) => ({ unit, rank: hashOf(`${seed}/${unit.name}`) }));
  ranked.sort((one, other) => (one.rank < other.rank ? -1 : 1));
  let left: readonly UnitValues[] = ranked.map(({ unit }) => unit);
  waves.forEach((wave, place) => {
    for (const { name } of takenBy(wave, left, units.length)) of.set(name, place);
    left = left.filter(({ name }) => !of.has(name));
  });
  for (const { name } of left) of.set(name, waves.length);
  return { names: [...waves.map(({ name }) => name), lastWave], of };
}

import { SelvedgeError } from '@selvedge/kit';

/** How many nodes of a unit may be worked on at a time. */
export type MaxUnavailable =
  | { readonly kind: 'count'; readonly count: number }
  /** Of the nodes of the unit that are chosen, rounded down, at least one. */
  | { readonly kind: 'percent'; readonly percent: number };

/** Reads `2` or `25%`. Throws `Invalid`. */
export function parseMaxUnavailable(text: string): MaxUnavailable {
  const [, digits = '', sign] = /^([1-9]\d{0,5})(%?)$/.exec(text) ?? [];
  const number = Number(digits);
  if (digits === '' || (sign === '%' && number > 100)) {
    throw new SelvedgeError(`"${text}" is not a number of nodes`, {
      code: 'Invalid',
      hint: 'use a number from 1, or 1% to 100%',
    });
  }
  return sign === '%' ? { kind: 'percent', percent: number } : { kind: 'count', count: number };
}

/** How many of so many. */
export function nodesAtOnce(max: MaxUnavailable, nodes: number): number {
  return max.kind === 'count' ? max.count : Math.max(1, Math.floor((nodes * max.percent) / 100));
}

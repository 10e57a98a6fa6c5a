import { type MaxUnavailable, nodesAtOnce } from './max-unavailable.ts';

/** Nodes of one unit, or those of none. */
export interface Wave<N> {
  readonly unit: string | undefined;
  readonly nodes: readonly N[];
  /** So many of them are worked on at a time. */
  readonly atOnce: number;
}

/** One wave for each unit, by name, and at last one for the nodes that belong to none. Pure. */
export function wavesOf<N extends { readonly name: string; readonly unit?: string }>(
  nodes: readonly N[],
  max: MaxUnavailable,
): readonly Wave<N>[] {
  const units = new Map<string | undefined, N[]>();
  for (const node of nodes.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    units.set(node.unit, [...(units.get(node.unit) ?? []), node]);
  }
  const order = [...units.keys()].toSorted((a, b) => {
    if (a === undefined || b === undefined) return a === undefined ? 1 : -1;
    return a < b ? -1 : 1;
  });
  return order.map((unit) => {
    const members = units.get(unit) ?? [];
    return { unit, nodes: members, atOnce: nodesAtOnce(max, members.length) };
  });
}

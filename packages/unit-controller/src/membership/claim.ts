import { messageOf } from '@selvedge/kit';
import { type LabelRequirements, type LabelSet, labelRequirementsOf, matchesLabels } from '@selvedge/kube';
import { type EdgeUnitObject, nameOf } from '../objects.ts';

/** The nodes that a unit wants. */
export type Wanted =
  | { readonly kind: 'none' }
  | { readonly kind: 'names'; readonly names: ReadonlySet<string> }
  | { readonly kind: 'selected'; readonly requirements: LabelRequirements }
  /** The selector is none. */
  | { readonly kind: 'invalid'; readonly problem: string };

export interface Claim {
  readonly unit: string;
  /** RFC 3339, as the API server wrote it. */
  readonly createdAt: string;
  readonly wanted: Wanted;
}

/** Whether a unit that is being deleted lets its members go. */
const isReleasing = ({ metadata, spec }: EdgeUnitObject): boolean =>
  metadata.deletionTimestamp !== undefined && spec?.deletionPolicy === 'release';

function wantedBy(unit: EdgeUnitObject): Wanted {
  const { names, nodeSelector } = unit.spec?.members ?? {};
  if (isReleasing(unit)) return { kind: 'none' };
  if (names !== undefined) return { kind: 'names', names: new Set(names) };
  if (nodeSelector === undefined) return { kind: 'none' };
  try {
    const requirements = labelRequirementsOf(nodeSelector);
    // It would take every node; the API server refuses it as well.
    return requirements.length === 0 ? { kind: 'none' } : { kind: 'selected', requirements };
  } catch (error) {
    return { kind: 'invalid', problem: messageOf(error) };
  }
}

/** What a unit wants, and since when. Pure. */
export const claimOf = (unit: EdgeUnitObject): Claim => ({
  unit: nameOf(unit),
  createdAt: unit.metadata.creationTimestamp ?? '',
  wanted: wantedBy(unit),
});

/** Whether the unit wants the node, whoever has it. Pure. */
export function wants({ wanted }: Claim, node: string, labels: LabelSet): boolean {
  switch (wanted.kind) {
    case 'names':
      return wanted.names.has(node);
    case 'selected':
      return matchesLabels(wanted.requirements, labels);
    case 'none':
    case 'invalid':
      return false;
  }
}

const compare = (a: string, b: string): number => (a === b ? 0 : a < b ? -1 : 1);

/** The unit that was created first comes first, and of those created in one second the one whose name does. Pure. */
export const byAge = (a: Claim, b: Claim): number =>
  compare(a.createdAt, b.createdAt) || compare(a.unit, b.unit);

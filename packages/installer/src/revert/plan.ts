import type { Plan, PlannedChange } from '../command/index.ts';
import type { ClusterNode } from '../cluster/index.ts';
import type { Found } from './machine.ts';

/** A node, and what is on its machine. */
export interface FoundNode {
  readonly node: Pick<ClusterNode, 'name' | 'addresses' | 'unit'>;
  readonly found: Found;
  /** The cloud remembers it as an edge node: it has an EdgeNode or conditions of ours. */
  readonly hasTraces: boolean;
}

/** What the cloud's part adds to a plan. */
export type CloudSide = Pick<Plan, 'parts' | 'warnings'>;

export const isToDo = ({ found, hasTraces }: FoundNode): boolean =>
  found.kind === 'touched' || found.kind === 'beside' || (found.kind === 'clean' && hasTraces);

function changesOf({ found, hasTraces }: FoundNode): readonly PlannedChange[] {
  if (found.kind === 'touched' && found.of === 0)
    return [{ what: 'remove the leftovers of a run that changed nothing' }];
  if (found.kind === 'touched') {
    return [
      { what: `undo ${found.left} of ${found.of} steps, using the journal on the machine` },
      { what: 'verify that it is Ready at the API server' },
    ];
  }
  if (found.kind === 'beside')
    return [{ what: `undo the changes next to its API server: ${found.phases.join(', ')}` }];
  return found.kind === 'clean' && hasTraces
    ? [{ what: 'remove its EdgeNode and our conditions of its Node' }]
    : [];
}

function warningOf({ node: { name }, found }: FoundNode): string | undefined {
  switch (found.kind) {
    case 'damaged':
      return `${name}: its journal ${found.what}; skipped`;
    case 'closed':
      return `${name}: ${found.message}; skipped`;
    case 'other':
      return `${name} was set up by \`${found.command}\`; undo that with \`selvedge reset\``;
    case 'beside':
    case 'clean':
    case 'touched':
      return undefined;
  }
}

/** What a revert is going to do. Pure. */
export function revertPlan(nodes: readonly FoundNode[], cloud: CloudSide): Plan {
  const parts = nodes.map((one) => ({ where: `node ${one.node.name}`, changes: changesOf(one) }));
  const count = nodes.filter(isToDo).length;
  return {
    title: `revert ${count === 1 ? '1 node' : `${count} nodes`}${cloud.parts.length > 0 ? ' and the cloud side' : ''}`,
    parts: [...parts.filter(({ changes }) => changes.length > 0), ...cloud.parts],
    warnings: [...nodes.map(warningOf).filter((one) => one !== undefined), ...cloud.warnings],
  };
}

import type { Plan, PlanPart, PlannedChange } from '../command/index.ts';
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
export interface CloudSide {
  readonly parts: readonly PlanPart[];
  readonly warnings: readonly string[];
}

export const isToDo = ({ found, hasTraces }: FoundNode): boolean =>
  found.kind === 'touched' || found.kind === 'beside' || (found.kind === 'clean' && hasTraces);

function changesOf({ found, hasTraces }: FoundNode): readonly PlannedChange[] {
  if (found.kind === 'touched' && found.of === 0)
    return [{ what: 'remove what a run left that changed nothing' }];
  if (found.kind === 'touched') {
    return [
      { what: `take back ${found.left} of ${found.of} steps, by the journal of the machine` },
      { what: 'see that it is Ready at the API server' },
    ];
  }
  if (found.kind === 'beside')
    return [{ what: `take back what is beside its API server: ${found.phases.join(', ')}` }];
  return found.kind === 'clean' && hasTraces ? [{ what: 'remove what the cloud remembers of it' }] : [];
}

function warningOf({ node: { name }, found }: FoundNode): string | undefined {
  switch (found.kind) {
    case 'damaged':
      return `${name}: its journal is damaged in line ${found.line}; it is left alone`;
    case 'closed':
      return `${name}: ${found.message}; it is left alone`;
    case 'other':
      return `${name} was made by \`${found.command}\`: \`selvedge reset\` takes that back`;
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
    title: `take back ${count === 1 ? '1 node' : `${count} nodes`}${cloud.parts.length > 0 ? ' and the cloud' : ''}`,
    parts: [...parts.filter(({ changes }) => changes.length > 0), ...cloud.parts],
    warnings: [...nodes.map(warningOf).filter((one) => one !== undefined), ...cloud.warnings],
  };
}

import type { FoundNode } from './plan.ts';
import { identityOf } from './revert-node.ts';
import type { RevertedNode } from './types.ts';

/** The result for a node that there is nothing to do about. */
export function restOf(found: FoundNode): RevertedNode {
  const { found: state } = found;
  const identity = identityOf(found);
  if (state.kind === 'damaged') {
    const hint =
      'restore the files that it names, or remove those that are copies, then remove /var/lib/selvedge-installer on that machine';
    const reason = `its journal ${state.what}`;
    return { ...identity, outcome: 'damaged', reason, known: state.known, hint };
  }
  if (state.kind === 'other') {
    const reason = `it was set up by \`${state.command}\``;
    return { ...identity, outcome: 'unchanged', reason, hint: 'undo that with `selvedge reset`' };
  }
  if (state.kind !== 'closed') return { ...identity, outcome: 'unchanged' };
  const { message, hint } = state;
  return { ...identity, outcome: 'failed', reason: message, ...(hint === undefined ? {} : { hint }) };
}

export const isBad = ({ outcome }: RevertedNode): boolean => outcome === 'failed' || outcome === 'damaged';

/** There is still something to be done about it. */
export const isOpen = (node: RevertedNode): boolean => isBad(node) || node.outcome === 'not-begun';

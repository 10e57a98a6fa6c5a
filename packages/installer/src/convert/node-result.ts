import { SelvedgeError, messageOf } from '@selvedge/kit';
import type { NodeState } from './node-state.ts';
import type { Workable } from './plan.ts';
import type { ConvertedNode } from './types.ts';

function whyOf(cause: unknown): Pick<ConvertedNode, 'because' | 'hint'> {
  const hint = cause instanceof SelvedgeError ? cause.hint : undefined;
  return { because: messageOf(cause), ...(hint === undefined ? {} : { hint }) };
}

function identityOf({
  node: { name, unit },
  machine,
}: Workable): Pick<ConvertedNode, 'node' | 'unit' | 'layout'> {
  return { node: name, ...(unit === undefined ? {} : { unit }), layout: machine.layout.name };
}

/** What is told of a node in its last state. */
export function resultOf(finding: Workable, state: NodeState): ConvertedNode {
  const identity = identityOf(finding);
  switch (state.kind) {
    case 'converted':
      return { ...identity, outcome: 'converted', durations: state.durations, containers: state.containers };
    case 'unchanged':
      return { ...identity, outcome: 'unchanged' };
    case 'left':
      return { ...identity, outcome: 'not-begun', ...whyOf(state.cause) };
    case 'put-back':
      return { ...identity, outcome: 'put-back', ...whyOf(state.cause) };
    case 'failed': {
      const hint = `undo with selvedge revert --nodes ${identity.node}, or resume with selvedge convert --nodes ${identity.node}`;
      return { ...identity, outcome: 'failed', because: messageOf(state.cause), hint };
    }
    case 'planned':
    case 'applying':
    case 'verifying':
    case 'putting-back':
      return { ...identity, outcome: 'not-begun' };
  }
}

import { SelvedgeError, messageOf } from '@selvedge/kit';
import type { NodeState } from './node-state.ts';
import type { Workable } from './plan.ts';
import type { ConvertOutcome, ConvertedNode } from './types.ts';

function whyOf(cause: unknown): Pick<ConvertedNode, 'reason' | 'hint'> {
  const hint = cause instanceof SelvedgeError ? cause.hint : undefined;
  return { reason: messageOf(cause), ...(hint === undefined ? {} : { hint }) };
}

function identityOf({
  node: { name, unit },
  machine,
}: Workable): Pick<ConvertedNode, 'node' | 'unit' | 'layout'> {
  return { node: name, ...(unit === undefined ? {} : { unit }), layout: machine.layout.name };
}

/** A state that is no end is that of a node that was stopped on its way. */
const outcomes: Readonly<Record<NodeState['kind'], ConvertOutcome>> = {
  planned: 'not-begun',
  unchanged: 'unchanged',
  left: 'not-begun',
  uploading: 'not-begun',
  interrupted: 'interrupted',
  applying: 'not-begun',
  verifying: 'not-begun',
  converted: 'converted',
  'rolling-back': 'not-begun',
  'rolled-back': 'rolled-back',
  failed: 'failed',
};

/** What helps whatever the cause was. */
function hintOf(kind: NodeState['kind'], node: string): Pick<ConvertedNode, 'hint'> {
  if (kind === 'interrupted') return { hint: 'run the same command again: it resumes the upload' };
  if (kind !== 'failed') return {};
  return {
    hint: `undo with selvedge revert --nodes ${node}, or resume with selvedge convert --nodes ${node}`,
  };
}

/** What is told of a node in its last state. */
export function resultOf(finding: Workable, state: NodeState): ConvertedNode {
  const { kind } = state;
  const result = { ...identityOf(finding), outcome: outcomes[kind] };
  if (kind === 'converted') return { ...result, durations: state.durations, containers: state.containers };
  if (kind === 'rolling-back' || !('cause' in state)) return result;
  return { ...result, ...whyOf(state.cause), ...hintOf(kind, result.node) };
}

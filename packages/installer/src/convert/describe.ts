import { durationText } from '../duration-text.ts';
import type { ConvertResult, ConvertedNode } from './types.ts';

const words: Readonly<Record<ConvertedNode['outcome'], string>> = {
  converted: 'is an edge node',
  unchanged: 'is already an edge node',
  'rolled-back': 'failed and was rolled back',
  interrupted: 'was not changed; its upload was interrupted',
  failed: 'failed and could not be rolled back',
  refused: 'cannot be converted; no changes made',
  'not-begun': 'was not started',
};

function tookOf({ durations, containers }: ConvertedNode): string {
  if (durations === undefined) return '';
  const { totalMs, unitsMs, seenMs } = durations;
  const same =
    containers === undefined ? '' : `; ${containers.same} of ${containers.before} containers kept running`;
  return `, ${durationText(totalMs)} (starting units ${durationText(unitsMs)}, verification ${durationText(seenMs)})${same}`;
}

function linesOf(node: ConvertedNode): readonly string[] {
  const { outcome, reason, hint, containers } = node;
  return [
    `${node.node} ${words[outcome]}${tookOf(node)}`,
    ...(reason === undefined ? [] : [`  why   ${reason}`]),
    ...(hint === undefined ? [] : [`  next  ${hint}`]),
    ...(containers?.left ?? []).map((one) => `  meanwhile ${one}`),
  ];
}

/** A result for people. */
export function describeConvert({ outcome, cloud, nodes }: ConvertResult): string {
  if (outcome === 'declined') return 'No changes made.';
  const head = outcome === 'unchanged' ? ['Nothing to do.'] : [];
  const steps = cloud?.instructions ?? [];
  const rest = steps.length === 0 ? [] : ['', 'Manual steps left:', ...steps];
  return [...head, ...nodes.flatMap(linesOf), ...rest].join('\n');
}

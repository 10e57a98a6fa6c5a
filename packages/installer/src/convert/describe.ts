import type { ConvertResult, ConvertedNode } from './types.ts';

const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;

const words: Readonly<Record<ConvertedNode['outcome'], string>> = {
  converted: 'is an edge node',
  unchanged: 'was an edge node before',
  'put-back': 'was put back: it is as it was',
  failed: 'could not be put back',
  refused: 'cannot be converted; nothing was changed',
  'not-begun': 'was not begun',
};

function tookOf({ durations, containers }: ConvertedNode): string {
  if (durations === undefined) return '';
  const { totalMs, unitsMs, seenMs } = durations;
  const same =
    containers === undefined ? '' : `; ${containers.same} of ${containers.before} containers run on`;
  return `, ${seconds(totalMs)} (units ${seconds(unitsMs)}, seen by the cloud ${seconds(seenMs)})${same}`;
}

function linesOf(node: ConvertedNode): readonly string[] {
  const { outcome, because, hint, containers } = node;
  return [
    `${node.node} ${words[outcome]}${tookOf(node)}`,
    ...(because === undefined ? [] : [`  why   ${because}`]),
    ...(hint === undefined ? [] : [`  next  ${hint}`]),
    ...(containers?.left ?? []).map((one) => `  meanwhile ${one}`),
  ];
}

/** A result for people. */
export function describeConvert({ outcome, cloud, nodes }: ConvertResult): string {
  if (outcome === 'declined') return 'Nothing was changed.';
  const head = outcome === 'unchanged' ? ['Everything is as it shall be.'] : [];
  const steps = cloud?.instructions ?? [];
  const rest = steps.length === 0 ? [] : ['', 'Left for you to do:', ...steps];
  return [...head, ...nodes.flatMap(linesOf), ...rest].join('\n');
}

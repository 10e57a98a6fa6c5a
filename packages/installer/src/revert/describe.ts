import type { RevertResult, RevertedNode } from './types.ts';

const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;

const words: Readonly<Record<RevertedNode['outcome'], string>> = {
  reverted: 'is as it was',
  unchanged: 'has nothing of a conversion',
  failed: 'could not be taken back',
  damaged: 'has a damaged journal; nothing was changed',
  'not-begun': 'was not begun',
};

function linesOf(node: RevertedNode): readonly string[] {
  const { outcome, verified, because, hint, known = [], totalMs, containers } = node;
  const took = totalMs === undefined ? '' : `, ${seconds(totalMs)}`;
  const unseen = outcome === 'reverted' && verified === false ? '; the cloud has not seen it yet' : '';
  return [
    `${node.node} ${words[outcome]}${took}${unseen}`,
    ...(because === undefined ? [] : [`  why   ${because}`]),
    ...(hint === undefined ? [] : [`  next  ${hint}`]),
    ...known.map((line) => `  known ${line}`),
    ...(containers?.restarted ?? []).map((one) => `  restarted ${one}`),
  ];
}

const cloudWords: Readonly<Record<RevertResult['cloud'], string>> = {
  'taken-back': "The cloud's part is taken back.",
  unchanged: 'The cloud has nothing of Selvedge.',
  left: "The cloud's part was left as it is.",
};

/** A result for people. */
export function describeRevert(result: RevertResult): string {
  if (result.outcome === 'declined') return 'Nothing was changed.';
  const nodes = result.nodes.filter(
    ({ outcome, because }) => outcome !== 'unchanged' || because !== undefined,
  );
  const head = result.outcome === 'unchanged' ? ['There is nothing to take back.'] : [];
  return [...head, ...nodes.flatMap(linesOf), cloudWords[result.cloud]].join('\n');
}

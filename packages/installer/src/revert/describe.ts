import { durationText } from '../duration-text.ts';
import type { RevertResult, RevertedNode } from './types.ts';

const words: Readonly<Record<RevertedNode['outcome'], string>> = {
  reverted: 'was reverted',
  unchanged: 'is not converted',
  failed: 'could not be reverted',
  damaged: 'has a damaged journal; no changes made',
  'not-begun': 'was not started',
};

function linesOf(node: RevertedNode): readonly string[] {
  const { outcome, verified, reason, hint, known = [], notes = [], totalMs, containers } = node;
  const took = totalMs === undefined ? '' : `, ${durationText(totalMs)}`;
  const unseen = outcome === 'reverted' && verified === false ? '; not verified from the cloud' : '';
  return [
    `${node.node} ${words[outcome]}${took}${unseen}`,
    ...(reason === undefined ? [] : [`  why   ${reason}`]),
    ...(hint === undefined ? [] : [`  next  ${hint}`]),
    ...notes.map((line) => `  note  ${line}`),
    ...known.map((line) => `  known ${line}`),
    ...(containers?.restarted ?? []).map((one) => `  restarted ${one}`),
  ];
}

const cloudWords: Readonly<Record<RevertResult['cloud'], string>> = {
  reverted: 'The cloud side was reverted.',
  unchanged: 'Nothing of Selvedge is installed in the cloud.',
  left: 'The cloud side was left in place.',
};

/** A result for people. */
export function describeRevert(result: RevertResult): string {
  if (result.outcome === 'declined') return 'No changes made.';
  const nodes = result.nodes.filter(({ outcome, reason }) => outcome !== 'unchanged' || reason !== undefined);
  const head = result.outcome === 'unchanged' ? ['Nothing to revert.'] : [];
  const left = (result.left ?? []).map((line) => `  note  ${line}`);
  return [...head, ...nodes.flatMap(linesOf), cloudWords[result.cloud], ...left].join('\n');
}

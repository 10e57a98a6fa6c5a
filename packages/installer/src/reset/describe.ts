import { type Plan, type StepWords, changesIn } from '../command/index.ts';
import { durationText } from '../duration-text.ts';
import type { Step } from '../steps/index.ts';
import type { ResetResult } from './types.ts';

interface Resetting {
  readonly node: string;
  /** Those that were begun, in the order in which they were done. */
  readonly steps: readonly Step[];
  readonly keepImages: boolean;
  readonly deletesNode: boolean;
}

/** The way back. */
const words: StepWords = {
  unit: ({ name }) => `stop ${name}`,
  pods: () => 'stop all pods on this machine, and remove their volumes, logs and networks',
  images: () => 'remove the images that were pulled since the join',
  rules: () => 'remove the rules of CNI plugins from the packet filter',
  tree: ({ path }) => `remove ${path} and everything in it`,
  upload: ({ path }) => `remove ${path}`,
  file: ({ path }) => `remove ${path}`,
  sysctl: ({ name }) => `restore ${name.replaceAll('/', '.')}`,
  edit: ({ path }) => `restore ${path}`,
  packages: ({ names }) => `remove ${names.join(', ')} and the packages installed with them`,
};

/** What is going to be done, for people. Pure. */
export function resetPlan({ node, steps, keepImages, deletesNode }: Resetting): Plan {
  const undone = steps.toReversed().filter(({ kind }) => !(keepImages && kind === 'images'));
  const changes = changesIn(undone, words);
  const cloud = deletesNode ? [{ where: 'cluster', changes: [{ what: `delete Node ${node}` }] }] : [];
  return {
    title: `reset node ${node} to a bare machine`,
    parts: [{ where: `node ${node}`, changes }, ...cloud],
    warnings: steps.some(({ kind }) => kind === 'pods')
      ? ['data in pod volumes on this machine is lost']
      : [],
  };
}

/** The result, for people. Pure. */
export function describeReset({ outcome, node = '', totalMs = 0, warnings }: ResetResult): string {
  const heads: Readonly<Record<ResetResult['outcome'], string>> = {
    reset: `${node} is a bare machine again after ${durationText(totalMs)}`,
    unchanged: 'this machine has not joined; no changes made',
    declined: 'no changes made',
  };
  return [heads[outcome], ...warnings].join('\n');
}

import type { Plan, PlannedChange } from '../command/index.ts';
import type { Step } from '../steps/index.ts';
import type { ResetResult } from './types.ts';

interface Resetting {
  readonly node: string;
  /** Those that were begun, in the order in which they were done. */
  readonly steps: readonly Step[];
  readonly keepImages: boolean;
  readonly deletesNode: boolean;
}

type Words = {
  readonly [K in Step['kind']]?: (step: Extract<Step, { kind: K }>, how: Resetting) => string | undefined;
};

/** How kinds of steps are told on the way back. */
const words: Words = {
  unit: ({ name }) => `stop ${name}`,
  pods: () => 'stop all pods on this machine, and remove their volumes, logs and networks',
  images: (_step, { keepImages }) =>
    keepImages ? undefined : 'remove the images that were pulled since the join',
  rules: () => 'remove the rules of CNI plugins from the packet filter',
  tree: ({ path }) => `remove ${path} and everything in it`,
  upload: ({ path }) => `remove ${path}`,
  file: ({ path }) => `remove ${path}`,
  sysctl: ({ name }) => `restore ${name.replaceAll('/', '.')}`,
  edit: ({ path }) => `restore ${path}`,
  packages: ({ names }) => `remove ${names.join(', ')} and the packages installed with them`,
};

function tell(step: Step, how: Resetting): readonly PlannedChange[] {
  // The table has for each kind a function of that kind.
  const inWords = words[step.kind] as ((step: Step, how: Resetting) => string | undefined) | undefined;
  const what = inWords?.(step, how);
  return what === undefined ? [] : [{ what }];
}

/** What is going to be done, for people. Pure. */
export function resetPlan(how: Resetting): Plan {
  const { node, steps, deletesNode } = how;
  const changes = steps.toReversed().flatMap((step) => tell(step, how));
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
    reset: `${node} is a bare machine again after ${(totalMs / 1_000).toFixed(1)} s`,
    unchanged: 'this machine has not joined; no changes made',
    declined: 'no changes made',
  };
  return [heads[outcome], ...warnings].join('\n');
}

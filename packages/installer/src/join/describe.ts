import type { Plan, PlannedChange } from '../command/index.ts';
import type { Step } from '../steps/index.ts';
import { places } from '../places.ts';
import { durationText } from '../duration-text.ts';
import type { JoinResult } from './types.ts';

const managers = { apt: 'apt-get', dnf: 'dnf' } as const;

function fileChange({ path, content }: Extract<Step, { kind: 'file' }>): PlannedChange {
  const detail = path === places.config ? { detail: content.trimEnd().split('\n') } : {};
  return { what: `write ${path}`, ...detail };
}

/** How kinds of steps are told that a person wants to know of; the others clear up after them. */
const words: {
  readonly [K in Step['kind']]?: (step: Extract<Step, { kind: K }>) => PlannedChange | undefined;
} = {
  packages: ({ manager, names, archives }) => ({
    what: `install ${names.join(', ')} ${archives.length > 0 ? 'from the release' : `by ${managers[manager]}`}`,
    ...(archives.length > 0 ? { detail: archives } : {}),
  }),
  edit: ({ path, changes }) => ({
    what: `edit ${path}: enable the CRI plugin of containerd`,
    detail: changes.flatMap((change) => [`- ${change.old}`, `+ ${change.new}`]),
  }),
  restart: ({ name, on }) => (on === 'apply' ? { what: `restart ${name}` } : undefined),
  sysctl: ({ name, value }) => ({ what: `set ${name.replaceAll('/', '.')} to ${value}` }),
  leftover: ({ what, name }) =>
    what === 'file' ? { what: `write ${name} once the node has a podCIDR` } : undefined,
  upload: ({ path }) => ({ what: `install ${path}` }),
  file: fileChange,
  secret: ({ path }) => ({ what: `write the token to ${path}; removed once the node has joined` }),
  unit: ({ name }) => ({ what: `start ${name} and enable it at boot` }),
};

function changeOf(step: Step): PlannedChange | undefined {
  // The table has for each kind a function of that kind.
  const tell = words[step.kind] as ((step: Step) => PlannedChange | undefined) | undefined;
  return tell?.(step);
}

/** What is going to be done, for people. Pure. */
export function joinPlan(node: string, steps: readonly Step[], warnings: readonly string[]): Plan {
  const changes = steps.map(changeOf).filter((change) => change !== undefined);
  const end = changes.length === 0 ? [] : [{ what: `wait until Node ${node} is Ready` }];
  return {
    title: `join this machine as lite node ${node}`,
    parts: [{ where: `node ${node}`, changes: [...changes, ...end] }],
    warnings,
  };
}

/** The result, for people. Pure. */
export function describeJoin({ outcome, node, unit, totalMs, warnings }: JoinResult): string {
  const heads: Readonly<Record<JoinResult['outcome'], string>> = {
    joined: `${node} has joined and is Ready${totalMs === undefined ? '' : ` after ${durationText(totalMs)}`}`,
    unchanged: `${node} has already joined and is Ready; no changes made`,
    declined: 'no changes made',
  };
  const member = unit === undefined ? [] : [`it is a member of unit ${unit}`];
  return [heads[outcome], ...member, ...warnings.map((one) => `note: ${one}`)].join('\n');
}

import { type Plan, type PlannedChange, type StepWords, changesIn } from '../command/index.ts';
import type { Step } from '../steps/index.ts';
import { places } from '../places.ts';
import { durationText } from '../duration-text.ts';
import type { JoinResult } from './types.ts';

const managers = { apt: 'apt-get', dnf: 'dnf' } as const;

function fileChange({ path, content }: Extract<Step, { kind: 'file' }>): PlannedChange {
  const detail = path === places.config ? { detail: content.trimEnd().split('\n') } : {};
  return { what: `write ${path}`, ...detail };
}

const words: StepWords = {
  packages: ({ manager, names, archives }) => ({
    what: `install ${names.join(', ')} ${archives.length > 0 ? 'from the release' : `by ${managers[manager]}`}`,
    ...(archives.length > 0 ? { detail: archives } : {}),
  }),
  edit: ({ path, changes }) => ({
    what: `edit ${path}: enable the CRI plugin of containerd`,
    detail: changes.flatMap((change) => [`- ${change.old}`, `+ ${change.new}`]),
  }),
  restart: ({ name, on }) => (on === 'apply' ? `restart ${name}` : undefined),
  sysctl: ({ name, value }) => `set ${name.replaceAll('/', '.')} to ${value}`,
  leftover: ({ what, name }) => (what === 'file' ? `write ${name} once the node has a podCIDR` : undefined),
  upload: ({ path }) => `install ${path}`,
  file: fileChange,
  secret: ({ path }) => `write the token to ${path}; removed once the node has joined`,
  unit: ({ name }) => `start ${name} and enable it at boot`,
};

/** What is going to be done, for people. Pure. */
export function joinPlan(node: string, steps: readonly Step[], warnings: readonly string[]): Plan {
  const changes = changesIn(steps, words);
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

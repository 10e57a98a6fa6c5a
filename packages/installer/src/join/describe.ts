import type { Plan, PlannedChange } from '../command/index.ts';
import type { Step } from '../steps/index.ts';
import { places } from '../places.ts';
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
    what: `edit ${path}: containerd is to serve the CRI`,
    detail: changes.flatMap((change) => [`- ${change.old}`, `+ ${change.new}`]),
  }),
  restart: ({ name, on }) => (on === 'apply' ? { what: `restart ${name}` } : undefined),
  sysctl: ({ name, value }) => ({ what: `set ${name.replaceAll('/', '.')} to ${value}` }),
  leftover: ({ what, name }) =>
    what === 'file'
      ? { what: `write ${name}, when the cloud has given the node a range for pods` }
      : undefined,
  upload: ({ path }) => ({ what: `install ${path}` }),
  file: fileChange,
  secret: ({ path }) => ({ what: `write the token to ${path}, until the node has joined` }),
  unit: ({ name }) => ({ what: `start ${name}, at boot too` }),
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
    title: `make this machine the lite node ${node}`,
    parts: [{ where: `node ${node}`, changes: [...changes, ...end] }],
    warnings,
  };
}

const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;

/** The result, for people. Pure. */
export function describeJoin({ outcome, node, unit, totalMs, warnings }: JoinResult): string {
  const heads: Readonly<Record<JoinResult['outcome'], string>> = {
    joined: `${node} is a node and Ready${totalMs === undefined ? '' : `, after ${seconds(totalMs)}`}`,
    unchanged: `${node} is a node and Ready; nothing was changed`,
    declined: 'nothing was changed',
  };
  const member = unit === undefined ? [] : [`it belongs to the unit ${unit}`];
  return [heads[outcome], ...member, ...warnings.map((one) => `note: ${one}`)].join('\n');
}

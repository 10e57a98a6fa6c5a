import { SelvedgeError, createLimiter, hasCode, messageOf } from '@selvedge/kit';
import { type Architecture, architectures } from '../artifacts/index.ts';
import type { ClusterNode } from '../cluster/index.ts';
import type { NodeFacts } from '../facts/index.ts';
import { createHostFiles } from '../files/index.ts';
import type { Host, Hosts } from '../host/index.ts';
import { type RunState, journalPlace, readJournal } from '../journal/index.ts';
import type { Layout, Recognition } from '../layouts/index.ts';
import { convertCommand } from '../revert/index.ts';

type Begun = Exclude<RunState, { kind: 'none' }>;

/** What is to be done about a node. */
export type Finding =
  | { readonly kind: 'new'; readonly node: ClusterNode; readonly machine: KnownMachine }
  /** A run on it was interrupted: its steps are those of that run. */
  | {
      readonly kind: 'begun';
      readonly node: ClusterNode;
      readonly machine: KnownMachine;
      readonly run: Begun;
    }
  | { readonly kind: 'converted'; readonly node: ClusterNode; readonly layout: string }
  | { readonly kind: 'refused'; readonly node: ClusterNode; readonly why: string; readonly hint?: string };

export interface KnownMachine {
  readonly facts: NodeFacts;
  readonly layout: Layout;
  readonly arch: Architecture;
}

/** How machines are known. */
export interface Knowing {
  readonly gather: (host: Host, signal: AbortSignal) => Promise<NodeFacts>;
  readonly recognize: (facts: NodeFacts) => Recognition;
}

export interface SurveyDeps {
  readonly hosts: Hosts;
  readonly signal: AbortSignal;
  readonly knowing: Knowing;
  /** Default: that of every machine. */
  readonly folder?: string;
}

class Refusal extends Error {
  readonly hint: string | undefined;

  constructor(why: string, hint?: string) {
    super(why);
    this.hint = hint;
  }
}

/** What the cluster alone says against it. */
function refuseByNode(node: ClusterNode): void {
  if (node.role === 'control-plane') {
    throw new Refusal('it is a control-plane node', 'only nodes that run pods of sites become edge nodes');
  }
  if (node.os !== 'linux') throw new Refusal(`it runs ${node.os}`, 'only Linux nodes are converted');
  if (node.isLite) throw new Refusal('it is a lite node: it has no kubelet', 'nothing is to be done there');
}

function knownLayout(facts: NodeFacts, { recognize: of }: Knowing): Layout {
  const recognition = of(facts);
  if (recognition.kind === 'known') return recognition.layout;
  const { found } = recognition;
  throw new Refusal(
    `how Kubernetes lies there is not known; found: ${found.length === 0 ? 'nothing' : found.join(', ')}`,
    'docs/tasks/convert.md lists the layouts that are known',
  );
}

function refuseByLayout(node: ClusterNode, layout: Layout): void {
  if (layout.nodeName !== '' && layout.nodeName !== node.name) {
    throw new Refusal(`that machine is the node ${layout.nodeName}`, `say --nodes ${node.name}=ADDRESS`);
  }
  if (layout.role === 'control-plane') throw new Refusal('an API server runs there');
}

function archOf({ arch }: NodeFacts): Architecture {
  const known = architectures[arch];
  if (known !== undefined) return known;
  throw new Refusal(`there is no edge-lite for ${arch}`);
}

function findingOf(node: ClusterNode, state: RunState, machine: KnownMachine): Finding {
  const { layout } = machine;
  if (state.kind === 'begun') return { kind: 'begun', node, machine, run: state };
  if (state.kind === 'done' || layout.converted) return { kind: 'converted', node, layout: layout.name };
  const [obstacle] = layout.obstacles;
  if (obstacle !== undefined) throw new Refusal(obstacle);
  if (!node.isReady) throw new Refusal('its Node is not Ready', 'mend it first: `selvedge check` says more');
  return { kind: 'new', node, machine };
}

async function look(node: ClusterNode, deps: SurveyDeps): Promise<Finding> {
  refuseByNode(node);
  await using host = await deps.hosts.open(node, deps.signal);
  const { journal } = journalPlace(deps.folder);
  const { state, damagedLine } = await readJournal(journal, createHostFiles(host), deps.signal);
  if (damagedLine !== undefined) {
    const hint = `\`selvedge revert --nodes ${node.name}\` shows what it says`;
    throw new Refusal(`its journal ${journal} is damaged in line ${damagedLine}`, hint);
  }
  if (state.kind !== 'none' && state.command !== convertCommand) {
    throw new Refusal(`\`${state.command}\` was run there`, 'take that back first');
  }
  const facts = await deps.knowing.gather(host, deps.signal);
  const layout = knownLayout(facts, deps.knowing);
  refuseByLayout(node, layout);
  return findingOf(node, state, { facts, layout, arch: archOf(facts) });
}

function hintOf(error: unknown): string | undefined {
  return error instanceof Refusal || error instanceof SelvedgeError ? error.hint : undefined;
}

/** Looks at a node and its machine. Changes nothing. Throws for the signal, and what is nobody's fault but ours. */
async function findOne(node: ClusterNode, deps: SurveyDeps): Promise<Finding> {
  try {
    return await look(node, deps);
  } catch (error) {
    deps.signal.throwIfAborted();
    const isExpected =
      error instanceof Refusal || hasCode(error, 'Unavailable', 'Forbidden', 'DeadlineExceeded');
    if (!isExpected) throw error;
    const hint = hintOf(error);
    return { kind: 'refused', node, why: messageOf(error), ...(hint === undefined ? {} : { hint }) };
  }
}

/** Machines that are looked at side by side. */
const lookers = 8;

export function survey(nodes: readonly ClusterNode[], deps: SurveyDeps): Promise<readonly Finding[]> {
  const limiter = createLimiter({ capacity: lookers });
  return Promise.all(nodes.map((node) => limiter.run(deps.signal, () => findOne(node, deps))));
}

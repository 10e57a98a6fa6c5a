import { SelvedgeError, createLimiter } from '@selvedge/kit';
import { type Architecture, architectureOf } from '../artifacts/index.ts';
import type { ClusterNode } from '../cluster/index.ts';
import type { NodeFacts } from '../facts/index.ts';
import { createHostFiles } from '../files/index.ts';
import type { Host, Hosts } from '../host/index.ts';
import {
  type BegunRun,
  type JournalContent,
  type RunState,
  journalPlace,
  readJournal,
} from '../journal/index.ts';
import type { Layout, Recognition } from '../layouts/index.ts';
import { convertCommand } from '../session/index.ts';
import { limits } from '../limits.ts';

/** What is to be done about a node. */
export type Finding =
  | { readonly kind: 'new'; readonly node: ClusterNode; readonly machine: KnownMachine }
  /** A run on it was interrupted: its steps are those of that run. */
  | {
      readonly kind: 'begun';
      readonly node: ClusterNode;
      readonly machine: KnownMachine;
      readonly run: BegunRun;
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

/** Why a node cannot be converted, and what a person can do about it. */
interface Refusal {
  readonly why: string;
  readonly hint?: string | undefined;
}

/** What the cluster alone says against it. */
function refuseNode({ role, os, isLite }: ClusterNode): Refusal | undefined {
  if (role === 'control-plane') {
    return { why: 'it is a control-plane node', hint: 'only worker nodes can be converted' };
  }
  if (os !== 'linux') return { why: `it runs ${os}`, hint: 'only Linux nodes can be converted' };
  if (isLite) return { why: 'it is a lite node, without a kubelet', hint: 'there is nothing to convert' };
  return undefined;
}

function refuseRun(
  { state, damagedLine }: JournalContent,
  { node, path }: { readonly node: string; readonly path: string },
): Refusal | undefined {
  if (damagedLine !== undefined) {
    return {
      why: `its journal ${path} is damaged at line ${damagedLine}`,
      hint: `\`selvedge revert --nodes ${node}\` shows its readable part`,
    };
  }
  if (state.kind === 'none' || state.command === convertCommand) return undefined;
  return { why: `it was changed by \`${state.command}\``, hint: 'undo that first: `selvedge reset`' };
}

function refuseLayout(node: ClusterNode, { nodeName, role }: Layout): Refusal | undefined {
  if (nodeName !== '' && nodeName !== node.name) {
    return {
      why: `the machine at that address is node ${nodeName}`,
      hint: `use --nodes ${node.name}=ADDRESS`,
    };
  }
  return role === 'control-plane' ? { why: 'an API server runs on its machine' } : undefined;
}

function unknownLayout(found: readonly string[]): Refusal {
  return {
    why: `unrecognized Kubernetes layout; found: ${found.length === 0 ? 'nothing' : found.join(', ')}`,
    hint: 'supported layouts: docs/tasks/convert.md, "What a node must be"',
  };
}

/** What is against beginning where nothing was begun. */
function refuseNew({ isReady }: ClusterNode, { obstacles: [obstacle] }: Layout): Refusal | undefined {
  if (obstacle !== undefined) return { why: obstacle };
  return isReady
    ? undefined
    : { why: 'its Node is not Ready', hint: 'fix that first; run `selvedge check` for details' };
}

/** A run made it an edge node, and somebody joined it to the cluster anew since: the rest of that run is still there. */
const leftByKubelet = ({ name }: ClusterNode): Refusal => ({
  why: 'it was converted, but its kubelet was set up again since and does not use the hub',
  hint: `run \`selvedge revert --nodes ${name}\`, then convert it again`,
});

const refused = (node: ClusterNode, { why, hint }: Refusal): Finding => ({
  kind: 'refused',
  node,
  why,
  ...(hint === undefined ? {} : { hint }),
});

/** What is found of a node that could not be looked at, or planned. */
export const refusedBy = (node: ClusterNode, { message: why, hint }: SelvedgeError): Finding =>
  refused(node, { why, hint });

interface Seen {
  readonly state: RunState;
  readonly facts: NodeFacts;
  readonly recognition: Recognition;
}

/** Pure. */
function findingOf(node: ClusterNode, { state, facts, recognition }: Seen): Finding {
  if (recognition.kind === 'unknown') return refused(node, unknownLayout(recognition.found));
  const { layout } = recognition;
  const against = refuseLayout(node, layout);
  if (against !== undefined) return refused(node, against);
  const arch = architectureOf(facts.arch);
  if (arch === undefined) return refused(node, { why: `there is no edge-lite for ${facts.arch}` });
  const machine = { facts, layout, arch };
  if (state.kind === 'begun') return { kind: 'begun', node, machine, run: state };
  if (layout.converted) return { kind: 'converted', node, layout: layout.name };
  const obstacle = state.kind === 'done' ? leftByKubelet(node) : refuseNew(node, layout);
  return obstacle === undefined ? { kind: 'new', node, machine } : refused(node, obstacle);
}

async function look(node: ClusterNode, { hosts, signal, knowing, folder }: SurveyDeps): Promise<Finding> {
  const against = refuseNode(node);
  if (against !== undefined) return refused(node, against);
  await using host = await hosts.open(node, signal);
  const { journal: path } = journalPlace(folder);
  const content = await readJournal(path, createHostFiles(host), signal);
  const other = refuseRun(content, { node: node.name, path });
  if (other !== undefined) return refused(node, other);
  const facts = await knowing.gather(host, signal);
  return findingOf(node, { state: content.state, facts, recognition: knowing.recognize(facts) });
}

/** Looks at a node and its machine. That it cannot be looked at is found, too: the others are not at fault. Changes nothing. Throws for the signal. */
async function findOne(node: ClusterNode, deps: SurveyDeps): Promise<Finding> {
  try {
    return await look(node, deps);
  } catch (error) {
    deps.signal.throwIfAborted();
    if (!(error instanceof SelvedgeError)) throw error;
    return refusedBy(node, error);
  }
}

/** Inspects the nodes and their machines, eight at a time; one finding for each, in their order. Changes nothing. */
export function survey(nodes: readonly ClusterNode[], deps: SurveyDeps): Promise<readonly Finding[]> {
  const limiter = createLimiter({ capacity: limits.atATime });
  return Promise.all(nodes.map((node) => limiter.run(deps.signal, () => findOne(node, deps))));
}

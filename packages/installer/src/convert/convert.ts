import { SelvedgeError } from '@selvedge/kit';
import type { CloudPlan, CloudResult, CloudTunnel } from '../cloud/index.ts';
import { type ClusterClient, listNodes, runWaves, selectNodes, wavesOf } from '../cluster/index.ts';
import { type CommandContext, type Progress, isDone } from '../command/index.ts';
import type { Hosts } from '../host/index.ts';
import type { Step } from '../steps/index.ts';
import { convertNode } from './convert-node.ts';
import { type CloudSide, type Workable, convertPlan, isWorkable } from './plan.ts';
import { type Finding, type Knowing, survey } from './survey.ts';
import { type ConvertOptions, type ConvertResult, type ConvertedNode, convertDefaults } from './types.ts';

/** The cloud's part of a conversion. */
export interface CloudWork {
  /** `edge`: names of Nodes that are, or become, edge nodes. */
  plan(edge: readonly string[]): Promise<CloudPlan>;
  apply(plan: CloudPlan, progress: Progress): Promise<CloudResult>;
}

/** What makes the steps of a node. */
export interface NodeWork extends Knowing {
  /** `tunnel`: what nodes are told of the cloud. */
  steps(finding: Workable, tunnel: CloudTunnel): Promise<readonly Step[]>;
  /** The content of what steps send, by its name there. */
  source(name: string, signal: AbortSignal): Promise<Uint8Array>;
}

export interface ConvertEngineDeps extends CommandContext {
  readonly cluster: ClusterClient;
  readonly hosts: Hosts;
  readonly cloud: CloudWork;
  readonly nodes: NodeWork;
  /** Where things are kept on machines. Default: as everywhere. */
  readonly folder?: string;
}

type StepsOf = (finding: Workable) => readonly Step[];

/** The steps of nodes that were never begun. */
async function stepsFor(findings: readonly Finding[], work: NodeWork, tunnel: CloudTunnel): Promise<StepsOf> {
  const fresh = findings.filter(isWorkable).filter(({ kind }) => kind === 'new');
  const all = await Promise.all(
    fresh.map(async (finding) => [finding.node.name, await work.steps(finding, tunnel)] as const),
  );
  const steps = new Map(all);
  return ({ node }) => steps.get(node.name) ?? [];
}

function refused(findings: readonly Finding[]): SelvedgeError | undefined {
  const all = findings.filter((one) => one.kind === 'refused');
  const [first] = all;
  if (first === undefined) return undefined;
  const told = all.map(({ node, why }) => `${node.name}: ${why}`);
  return new SelvedgeError(`${told.join('; ')}. No changes were made`, {
    code: 'Conflict',
    hint: `${first.hint ?? 'run selvedge check for details'}; or convert the other nodes with --on-failure continue`,
    details: { findings: told },
  });
}

/** What is told of a node that nothing was done to. */
function restOf(finding: Finding): ConvertedNode {
  const { node } = finding;
  const identity = { node: node.name, ...(node.unit === undefined ? {} : { unit: node.unit }) };
  switch (finding.kind) {
    case 'refused': {
      const { why, hint } = finding;
      return { ...identity, outcome: 'refused', reason: why, ...(hint === undefined ? {} : { hint }) };
    }
    case 'converted':
      return { ...identity, layout: finding.layout, outcome: 'unchanged' };
    case 'new':
    case 'begun':
      return { ...identity, layout: finding.machine.layout.name, outcome: 'not-begun' };
  }
}

function outcomeOf(nodes: readonly ConvertedNode[]): ConvertResult['outcome'] {
  if (nodes.some(({ outcome }) => outcome === 'failed')) return 'failed';
  const isWhole = nodes.every(({ outcome }) => outcome === 'converted' || outcome === 'unchanged');
  return isWhole ? 'done' : 'partly';
}

const viaKubeletWarning =
  'machines are accessed through their kubelets: a node whose hub fails cannot be rolled back that way, only with ' +
  '`selvedge revert` over SSH or on the machine itself';

const warned = ({ parts, warnings }: CloudPlan, { viaKubelet = false }: Hosts): CloudSide => ({
  parts,
  warnings: viaKubelet ? [...warnings, viaKubeletWarning] : warnings,
});

interface Agreed {
  readonly findings: readonly Finding[];
  readonly cloud: CloudResult;
  readonly stepsOf: StepsOf;
}

async function convertNodes(
  options: ConvertOptions,
  deps: ConvertEngineDeps,
  { findings, cloud, stepsOf }: Agreed,
): Promise<readonly ConvertedNode[]> {
  const { progress, signal, nodes } = deps;
  const todo = findings.filter(isWorkable).map((finding) => ({ ...finding.node, finding }));
  const nodeDeps = {
    ...deps,
    stepsOf,
    sources: (name: string, within: AbortSignal) => nodes.source(name, within),
    timeoutMs: options.timeoutMs ?? convertDefaults.timeoutMs,
    hasEgress: cloud.mode === 'unit',
  };
  const results = await runWaves(wavesOf(todo, options.maxUnavailable ?? convertDefaults.maxUnavailable), {
    progress,
    onFailure: options.onFailure ?? convertDefaults.onFailure,
    signal,
    work: ({ finding }, own) => convertNode(finding, nodeDeps, own),
    failureOf: ({ outcome, reason }) =>
      outcome === 'converted' || outcome === 'unchanged' ? undefined : reason,
  });
  return findings.map((finding) => results.get(finding.node.name) ?? restOf(finding));
}

/** A conversion, with the cloud's part and that of machines given. */
export async function convertWith(options: ConvertOptions, deps: ConvertEngineDeps): Promise<ConvertResult> {
  const { progress, agree, cluster, signal, nodes: work } = deps;
  const chosen = selectNodes(options, await listNodes(cluster, signal));
  if (chosen.length === 0) {
    throw new SelvedgeError('no nodes match the selector', {
      code: 'NotFound',
      hint: 'kubectl get nodes --show-labels lists the labels',
    });
  }
  const findings = await progress.task(
    `inspect ${chosen.length === 1 ? '1 node' : `${chosen.length} nodes`}`,
    () => survey(chosen, { ...deps, knowing: work }),
  );
  const error = refused(findings);
  if (error !== undefined && (options.onFailure ?? convertDefaults.onFailure) === 'stop') throw error;
  const edge = findings.flatMap(({ kind, node }) => (kind === 'refused' ? [] : [node.name]));
  const cloudPlan = await progress.task('inspect the cloud side', () => deps.cloud.plan(edge));
  const planned = await stepsFor(findings, work, cloudPlan.tunnel);
  const plan = convertPlan(findings, warned(cloudPlan, deps.hosts), planned);
  if (isDone(plan)) {
    const nodes = findings.map(restOf);
    return { outcome: nodes.every(({ outcome }) => outcome === 'unchanged') ? 'unchanged' : 'partly', nodes };
  }
  if (!(await agree(plan))) return { outcome: 'declined', nodes: [] };
  const cloud = await progress.task('set up the cloud side', (own) => deps.cloud.apply(cloudPlan, own));
  const stepsOf = await stepsFor(findings, work, cloud.tunnel);
  const nodes = await convertNodes(options, deps, { findings, cloud, stepsOf });
  return { outcome: outcomeOf(nodes), cloud, nodes };
}

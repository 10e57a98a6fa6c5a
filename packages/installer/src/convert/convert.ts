import { SelvedgeError } from '@selvedge/kit';
import type { CloudPlan, CloudResult } from '../cloud/index.ts';
import { type OnFailure, listNodes, runWaves, selectNodes, wavesOf } from '../cluster/index.ts';
import { isDone } from '../command/index.ts';
import type { Hosts } from '../host/index.ts';
import { convertNode } from './convert-node.ts';
import type { ConvertEngineDeps } from './engine.ts';
import { type PlannedNodes, planNodes } from './plan-nodes.ts';
import { type CloudSide, convertPlan, isWorkable } from './plan.ts';
import { type Finding, survey } from './survey.ts';
import { type ConvertOptions, type ConvertResult, type ConvertedNode, convertDefaults } from './types.ts';

const onFailureOf = ({ onFailure = convertDefaults.onFailure }: ConvertOptions): OnFailure => onFailure;

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

interface Agreed extends PlannedNodes {
  readonly cloud: CloudResult;
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
    onFailure: onFailureOf(options),
    signal,
    work: ({ finding }, own) => convertNode(finding, nodeDeps, own),
    failureOf: ({ outcome, reason }) =>
      outcome === 'converted' || outcome === 'unchanged' ? undefined : reason,
  });
  return findings.map((finding) => results.get(finding.node.name) ?? restOf(finding));
}

interface Planned extends PlannedNodes {
  readonly cloudPlan: CloudPlan;
}

/** Plans the cloud's part and the nodes. Nodes that cannot be planned become no edge nodes, which is another plan for the cloud. */
async function planAll(
  surveyed: readonly Finding[],
  onFailure: OnFailure,
  { cloud, nodes: work }: Pick<ConvertEngineDeps, 'cloud' | 'nodes'>,
): Promise<Planned> {
  const planCloud = (findings: readonly Finding[]): Promise<CloudPlan> =>
    cloud.plan(findings.flatMap(({ kind, node }) => (kind === 'refused' ? [] : [node.name])));
  const cloudPlan = await planCloud(surveyed);
  const planned = await planNodes(surveyed, { work, tunnel: cloudPlan.tunnel, onFailure });
  const isLess = planned.findings.some(({ kind }, at) => kind !== surveyed[at]?.kind);
  return { ...planned, cloudPlan: isLess ? await planCloud(planned.findings) : cloudPlan };
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
  const surveyed = await progress.task(
    `inspect ${chosen.length === 1 ? '1 node' : `${chosen.length} nodes`}`,
    () => survey(chosen, { ...deps, knowing: work }),
  );
  const onFailure = onFailureOf(options);
  const error = refused(surveyed);
  if (error !== undefined && onFailure === 'stop') throw error;
  const { findings, stepsOf, cloudPlan } = await progress.task('inspect the cloud side', () =>
    planAll(surveyed, onFailure, deps),
  );
  const plan = convertPlan(findings, warned(cloudPlan, deps.hosts), stepsOf);
  if (isDone(plan)) {
    const nodes = findings.map(restOf);
    return { outcome: nodes.every(({ outcome }) => outcome === 'unchanged') ? 'unchanged' : 'partly', nodes };
  }
  if (!(await agree(plan))) return { outcome: 'declined', nodes: [] };
  const cloud = await progress.task('set up the cloud side', (own) => deps.cloud.apply(cloudPlan, own));
  const planned = await planNodes(findings, { work, tunnel: cloud.tunnel, onFailure });
  const nodes = await convertNodes(options, deps, { ...planned, cloud });
  return { outcome: outcomeOf(nodes), cloud, nodes };
}

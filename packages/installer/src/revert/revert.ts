import { SelvedgeError } from '@selvedge/kit';
import { type CloudUndoPlan, needsTunnel, withoutJobs } from '../cloud/index.ts';
import { runWaves, wavesOf } from '../cluster/index.ts';
import { isDone } from '../command/index.ts';
import type { RevertEngineDeps } from './engine.ts';
import { type FoundNode, isToDo, revertPlan } from './plan.ts';
import { isBad, isOpen, restOf } from './results.ts';
import { identityOf, revertNode } from './revert-node.ts';
import { type Scene, lookAt, sceneOf } from './scene.ts';
import { type RevertOptions, type RevertResult, type RevertedNode, revertDefaults } from './types.ts';

/** Nodes whose pods edge-lite runs live by what the cloud's part is. */
function refuseLiteNodes(found: readonly FoundNode[]): void {
  const lite = found.filter((one) => one.found.kind === 'other').map(({ node }) => node.name);
  if (lite.length === 0) return;
  throw new SelvedgeError(`${lite.join(', ')}: lite nodes still need the cloud side`, {
    code: 'Conflict',
    hint: 'run `selvedge reset` on each of them first, or choose nodes with --nodes',
  });
}

/** Nodes of which it is not known, or known to be so, that they still live by the cloud's part. */
const needsCloud = ({ found: { kind } }: FoundNode): boolean => kind === 'closed' || kind === 'damaged';

/** Where a Job is reached by the tunnel alone, it is lost with edge-lite, in the middle of the way back. */
async function refuseJobs(
  { scene: { cluster }, found }: Look,
  { hosts, signal }: RevertEngineDeps,
): Promise<void> {
  const nodes = found.flatMap(({ node, found: one }) =>
    one.kind === 'touched' && one.left > 0 ? [node.name] : [],
  );
  if (hosts.viaKubelet !== true || nodes.length === 0 || cluster === undefined) return;
  if (!(await needsTunnel(cluster, signal))) return;
  throw new SelvedgeError(
    `a Job cannot revert ${nodes.join(', ')}: the API server reaches it by the tunnel alone, which ends when edge-lite is stopped`,
    { code: 'Unsupported', hint: withoutJobs },
  );
}

interface Look {
  readonly scene: Scene;
  readonly found: readonly FoundNode[];
  /** undefined: the cloud's part is not taken back. */
  readonly undo: CloudUndoPlan | undefined;
}

async function lookAll(options: RevertOptions, deps: RevertEngineDeps): Promise<Look> {
  const scene = await sceneOf(options, deps);
  const found = await lookAt(scene, deps);
  if (scene.isPartial) return { scene, found, undo: undefined };
  refuseLiteNodes(found);
  return { scene, found, undo: found.some(needsCloud) ? undefined : await deps.cloud.plan() };
}

async function work(
  options: RevertOptions,
  deps: RevertEngineDeps,
  { found, scene }: Look,
): Promise<readonly RevertedNode[]> {
  const { onFailure = revertDefaults.onFailure, timeoutMs = revertDefaults.timeoutMs } = options;
  const todo = found.filter(isToDo).map((one) => ({ ...one.node, found: one }));
  const nodeDeps = { ...deps, cluster: scene.cluster, timeoutMs };
  const results = await runWaves(wavesOf(todo, options.maxUnavailable ?? revertDefaults.maxUnavailable), {
    progress: deps.progress,
    onFailure,
    signal: deps.signal,
    work: (one, progress) => revertNode(one.found, nodeDeps, progress),
    failureOf: ({ outcome, reason }) => (outcome === 'failed' ? reason : undefined),
  });
  return found.map((one) => {
    if (!isToDo(one)) return restOf(one);
    return results.get(one.node.name) ?? { ...identityOf(one), outcome: 'not-begun' };
  });
}

async function takeBackCloud(
  undo: CloudUndoPlan | undefined,
  { progress, cloud }: RevertEngineDeps,
): Promise<Pick<RevertResult, 'cloud' | 'left'>> {
  if (undo === undefined) return { cloud: 'left' };
  if (undo.isDone) return { cloud: 'unchanged' };
  const left = await progress.task('revert the cloud side', (own) => cloud.undo(undo, own));
  return { cloud: 'reverted', ...(left.length === 0 ? {} : { left }) };
}

/** A revert, with its cloud's part given. */
export async function revertWith(options: RevertOptions, deps: RevertEngineDeps): Promise<RevertResult> {
  const look = await lookAll(options, deps);
  await refuseJobs(look, deps);
  const { found, undo } = look;
  const plan = revertPlan(found, undo ?? { parts: [], warnings: [] });
  if (isDone(plan)) {
    for (const warning of plan.warnings) deps.progress.note(warning);
    const nodes = found.map(restOf);
    const cloud = undo === undefined ? 'left' : 'unchanged';
    return { outcome: nodes.some(isBad) ? 'partly' : 'unchanged', nodes, cloud };
  }
  if (!(await deps.agree(plan))) return { outcome: 'declined', nodes: [], cloud: 'left' };
  const nodes = await work(options, deps, look);
  if (nodes.some(isOpen)) return { outcome: 'partly', nodes, cloud: 'left' };
  return { outcome: 'done', nodes, ...(await takeBackCloud(undo, deps)) };
}

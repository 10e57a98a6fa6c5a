import { SelvedgeError, createLimiter, hasCode } from '@selvedge/kit';
import type { CloudUndoPlan } from '../cloud/index.ts';
import {
  type ClusterClient,
  type ClusterNode,
  listNodes,
  listTraces,
  runWaves,
  selectNodes,
  wavesOf,
} from '../cluster/index.ts';
import { type CommandContext, type Progress, isDone } from '../command/index.ts';
import type { Hosts } from '../host/index.ts';
import { type Found, lookAtMachine } from './machine.ts';
import { type FoundNode, isToDo, revertPlan } from './plan.ts';
import { identityOf, revertNode } from './revert-node.ts';
import { type RevertOptions, type RevertResult, type RevertedNode, revertDefaults } from './types.ts';

/** The cloud's part of a revert. */
export interface CloudUndo {
  plan(): Promise<CloudUndoPlan>;
  undo(plan: CloudUndoPlan, progress: Progress): Promise<void>;
}

export interface RevertEngineDeps extends CommandContext {
  /** With `offline` nothing is asked of it. */
  readonly cluster: ClusterClient;
  readonly hosts: Hosts;
  readonly cloud: CloudUndo;
  /** Where things are kept on machines. Default: that of `journalPlace`. */
  readonly folder?: string;
}

/** Machines that are looked at side by side. */
const lookers = 8;

type SceneNode = Pick<ClusterNode, 'name' | 'addresses' | 'unit'> & Partial<Pick<ClusterNode, 'isLite'>>;

interface Scene {
  /** undefined: out of reach. */
  readonly cluster: ClusterClient | undefined;
  readonly nodes: readonly SceneNode[];
  readonly traces: ReadonlySet<string>;
  /** Nodes were chosen: the cloud's part stays. */
  readonly isPartial: boolean;
}

function offlineScene({ nodes = [] }: RevertOptions, cause?: unknown): Scene {
  const missing = nodes.filter(({ address }) => address === undefined);
  if (nodes.length === 0 || missing.length > 0) {
    throw new SelvedgeError('the addresses of the machines are not known without the cloud', {
      code: cause === undefined ? 'Invalid' : 'Unavailable',
      hint: 'use --offline --nodes NAME=ADDRESS,…',
      cause,
    });
  }
  const machines = nodes.map(({ name, address }) => ({
    name,
    addresses: address === undefined ? [] : [address],
  }));
  return { cluster: undefined, nodes: machines, traces: new Set(), isPartial: true };
}

/** Whose kubelet may have been changed. */
const mayBeConverted = (node: ClusterNode): boolean => node.role === 'worker' && node.os === 'linux';

async function onlineScene(options: RevertOptions, deps: RevertEngineDeps): Promise<Scene> {
  const { cluster, signal } = deps;
  const all = await listNodes(cluster, signal);
  const traces = await listTraces(cluster, signal);
  const isPartial = (options.nodes ?? []).length > 0 || options.selector !== undefined;
  const chosen = isPartial ? selectNodes(options, all) : all.filter(mayBeConverted);
  return { cluster, nodes: chosen, traces, isPartial };
}

async function sceneOf(options: RevertOptions, deps: RevertEngineDeps): Promise<Scene> {
  if (options.offline === true) return offlineScene(options);
  try {
    return await onlineScene(options, deps);
  } catch (error) {
    deps.signal.throwIfAborted();
    if (!hasCode(error, 'Unavailable', 'DeadlineExceeded')) throw error;
    deps.progress.note('the API server is unreachable: reverting only the machines');
    return offlineScene(options, error);
  }
}

async function lookAt(
  { nodes, traces, cluster }: Scene,
  deps: RevertEngineDeps,
): Promise<readonly FoundNode[]> {
  const limiter = createLimiter({ capacity: lookers });
  const look = (node: SceneNode): Promise<Found> =>
    node.isLite === true
      ? Promise.resolve({ kind: 'other', command: 'selvedge join' })
      : lookAtMachine(node, { ...deps, isOffline: cluster === undefined }, deps.signal);
  return await deps.progress.task(
    `inspect ${nodes.length === 1 ? '1 machine' : `${nodes.length} machines`}`,
    () =>
      Promise.all(
        nodes.map((node) =>
          limiter.run(deps.signal, async () => ({
            node,
            found: await look(node),
            hasTraces: traces.has(node.name),
          })),
        ),
      ),
  );
}

/** The result for a node that there is nothing to do about. */
function restOf(found: FoundNode): RevertedNode {
  const { found: state } = found;
  const identity = identityOf(found);
  if (state.kind === 'damaged') {
    const hint = 'restore the files that it names, then remove /var/lib/selvedge-installer on that machine';
    const because = `its journal is damaged at line ${state.line}`;
    return { ...identity, outcome: 'damaged', because, known: state.known, hint };
  }
  if (state.kind === 'other') {
    const because = `it was set up by \`${state.command}\``;
    return { ...identity, outcome: 'unchanged', because, hint: 'undo that with `selvedge reset`' };
  }
  if (state.kind !== 'closed') return { ...identity, outcome: 'unchanged' };
  const { message, hint } = state;
  return { ...identity, outcome: 'failed', because: message, ...(hint === undefined ? {} : { hint }) };
}

const isBad = ({ outcome }: RevertedNode): boolean => outcome === 'failed' || outcome === 'damaged';

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
    failureOf: ({ outcome, because }) => (outcome === 'failed' ? because : undefined),
  });
  return found.map((one) => {
    if (!isToDo(one)) return restOf(one);
    return results.get(one.node.name) ?? { ...identityOf(one), outcome: 'not-begun' };
  });
}

const isOpen = (node: RevertedNode): boolean => isBad(node) || node.outcome === 'not-begun';

async function takeBackCloud(
  undo: CloudUndoPlan | undefined,
  { progress, cloud }: RevertEngineDeps,
): Promise<RevertResult['cloud']> {
  if (undo === undefined) return 'left';
  if (undo.isDone) return 'unchanged';
  await progress.task('revert the cloud side', (own) => cloud.undo(undo, own));
  return 'taken-back';
}

/** A revert, with its cloud's part given. */
export async function revertWith(options: RevertOptions, deps: RevertEngineDeps): Promise<RevertResult> {
  const look = await lookAll(options, deps);
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
  return { outcome: 'done', nodes, cloud: await takeBackCloud(undo, deps) };
}

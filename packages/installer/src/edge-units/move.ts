import { labels } from '@selvedge/api';
import { SelvedgeError, hasCode, withDeadline } from '@selvedge/kit';
import { ifFound, resources } from '@selvedge/kube';
import type { Pod } from '@selvedge/kube/types';
import { applyChanges, planOf } from '../changes/index.ts';
import type { UnitDeps } from './create.ts';
import { isSettled } from './list.ts';
import { unitNameOf } from './membership.ts';
import { type EdgeUnitObject, edgeUnitResource } from '../edge-objects.ts';
import { type MoveOptions, planMove } from './plan-move.ts';

export interface UnitMoveOptions extends MoveOptions {
  /** For the cloud to settle it, in milliseconds. */
  readonly timeoutMs: number;
}

export interface NodeMoved {
  readonly node: string;
  readonly unit: string;
  /** The units that it left. */
  readonly left: readonly string[];
}

const pauseMs = 300;

const isOfDaemonSet = ({ metadata }: Pod): boolean =>
  metadata.ownerReferences?.some(({ kind, controller }) => kind === 'DaemonSet' && controller === true) ===
  true;

/** Pods are not moved: what runs there goes on in what is the wrong unit then. */
async function podWarnings(node: string, { cluster, signal }: UnitDeps): Promise<readonly string[]> {
  const fieldSelector = `spec.nodeName=${node}`;
  const { items } = await cluster.listAll(resources.pods, { fieldSelector, signal });
  const count = items.filter((pod) => !isOfDaemonSet(pod)).length;
  if (count === 0) return [];
  const drain = `kubectl drain ${node} --ignore-daemonsets --delete-emptydir-data`;
  return [`${count} pods on ${node} are not moved; to evict those that belong to its old unit: ${drain}`];
}

/** Why the move is not over yet; undefined: it is. */
async function pending(
  names: readonly string[],
  options: UnitMoveOptions,
  deps: UnitDeps,
): Promise<string | undefined> {
  const { cluster, signal } = deps;
  const units = await Promise.all(
    names.map((name) => ifFound(cluster.get(edgeUnitResource, { name }, { signal }))),
  );
  const unsettled = units.find(
    (unit): unit is EdgeUnitObject => unit !== undefined && isSettled(unit) !== true,
  );
  if (unsettled !== undefined) return `unit ${unitNameOf(unsettled)} is not settled`;
  const node = await ifFound(cluster.get(resources.nodes, { name: options.node }, { signal }));
  if (node === undefined) return undefined;
  const current = node.metadata.labels?.[labels.nodeUnit];
  return current === options.unit ? undefined : `node ${options.node} is in ${current ?? 'no unit'}`;
}

async function settle(names: readonly string[], options: UnitMoveOptions, deps: UnitDeps): Promise<void> {
  let why: string | undefined;
  const deadline = { what: 'settling', timeoutMs: options.timeoutMs, signal: deps.signal };
  const wait = async (signal: AbortSignal): Promise<void> => {
    for (;;) {
      why = await pending(names, options, { ...deps, signal });
      if (why === undefined) return;
      deps.progress.note(why);
      await deps.clock.sleep(pauseMs, signal);
    }
  };
  try {
    await withDeadline(deadline, deps.clock, wait);
  } catch (cause) {
    if (!hasCode(cause, 'DeadlineExceeded')) throw cause;
    throw new SelvedgeError(`the move was requested but has not settled: ${why ?? 'no status yet'}`, {
      code: 'DeadlineExceeded',
      cause,
      hint: `check that cloud-manager is running, and see \`kubectl describe edgeunit ${options.unit}\``,
    });
  }
}

/**
 * Moves a node into a unit, out of all others, and waits until it has what the unit gives. Idempotent: broken off
 * between leaving and joining, a second run joins. Undefined if the plan was not agreed to. Throws as `planMove`, and
 * `DeadlineExceeded`.
 */
export async function moveNode(options: UnitMoveOptions, deps: UnitDeps): Promise<NodeMoved | undefined> {
  const { node, unit } = options;
  const { cluster, signal } = deps;
  const { items: units } = await cluster.listAll(edgeUnitResource, { signal });
  const found = await ifFound(cluster.get(resources.nodes, { name: node }, { signal }));
  const changes = planMove(options, { units, node: found });
  const warnings = changes.length === 0 ? [] : await podWarnings(node, deps);
  if (!(await deps.agree(planOf(`move node ${node} to unit ${unit}`, changes, warnings)))) return undefined;
  await applyChanges(changes, deps);
  const left = units
    .filter((one) => unitNameOf(one) !== unit)
    .filter(({ status }) => status?.members?.some(({ name }) => name === node) === true)
    .map(unitNameOf);
  await deps.progress.task('wait for the units to settle', (progress) =>
    settle([...left, unit], options, { ...deps, progress }),
  );
  return { node, unit, left };
}

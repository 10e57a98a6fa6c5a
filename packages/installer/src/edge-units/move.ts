import { labels } from '@selvedge/api';
import { ifFound, resources } from '@selvedge/kube';
import type { Pod } from '@selvedge/kube/types';
import { applyChanges, planOf } from '../changes/index.ts';
import type { UnitDeps } from './create.ts';
import { isSettled } from './list.ts';
import { unitNameOf } from './membership.ts';
import { type EdgeUnitObject, edgeUnitResource } from '../edge-objects.ts';
import { type MoveOptions, planMove } from './plan-move.ts';
import { isSo, poll } from '../waiting/index.ts';

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
async function unsettled(
  names: readonly string[],
  options: UnitMoveOptions,
  { cluster, signal }: Pick<UnitDeps, 'cluster' | 'signal'>,
): Promise<string | undefined> {
  const units = await Promise.all(
    names.map((name) => ifFound(cluster.get(edgeUnitResource, { name }, { signal }))),
  );
  const changing = units.find(
    (unit): unit is EdgeUnitObject => unit !== undefined && isSettled(unit) !== true,
  );
  if (changing !== undefined) return `unit ${unitNameOf(changing)} is not settled`;
  const node = await ifFound(cluster.get(resources.nodes, { name: options.node }, { signal }));
  if (node === undefined) return undefined;
  const current = node.metadata.labels?.[labels.nodeUnit];
  return current === options.unit ? undefined : `node ${options.node} is in ${current ?? 'no unit'}`;
}

async function settle(
  names: readonly string[],
  options: UnitMoveOptions,
  { cluster, clock, progress, signal }: UnitDeps,
): Promise<void> {
  const waiting = {
    what: `the move of ${options.node} to settle, which was requested`,
    timeoutMs: options.timeoutMs,
    everyMs: pauseMs,
    hint: `check that cloud-manager is running, and see \`kubectl describe edgeunit ${options.unit}\``,
    onPending: (why: string) => progress.note(why),
  };
  await poll(waiting, { clock, signal }, async () => {
    const why = await unsettled(names, options, { cluster, signal });
    return isSo(why === undefined, why ?? '');
  });
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

import { labels } from '@selvedge/api';
import { SelvedgeError, hasCode, withDeadline } from '@selvedge/kit';
import { type KubeObject, resources } from '@selvedge/kube';
import type { Pod } from '@selvedge/kube/types';
import { applyChanges, planOf } from '../changes/index.ts';
import type { UnitDeps } from './create.ts';
import { isSettled } from './list.ts';
import { unitNameOf } from './membership.ts';
import { type EdgeUnitObject, edgeUnitResource } from './objects.ts';
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

async function nodeNamed(name: string, { cluster, signal }: UnitDeps): Promise<KubeObject | undefined> {
  return cluster.get(resources.nodes, { name }, { signal }).catch((error: unknown) => {
    if (hasCode(error, 'NotFound')) return undefined;
    throw error;
  });
}

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
  return [
    `${count} pods run on ${node} and stay there; those that belong to its old unit leave it with: ${drain}`,
  ];
}

const absent = (error: unknown): undefined => {
  if (hasCode(error, 'NotFound')) return undefined;
  throw error;
};

/** Why the move is not over yet; undefined: it is. */
async function pending(
  names: readonly string[],
  options: UnitMoveOptions,
  deps: UnitDeps,
): Promise<string | undefined> {
  const { cluster, signal } = deps;
  const units = await Promise.all(
    names.map((name) => cluster.get(edgeUnitResource, { name }, { signal }).catch(absent)),
  );
  const unsettled = units.find(
    (unit): unit is EdgeUnitObject => unit !== undefined && isSettled(unit) !== true,
  );
  if (unsettled !== undefined) return `unit ${unitNameOf(unsettled)} is not settled`;
  const node = await nodeNamed(options.node, deps);
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
    throw new SelvedgeError(
      `the move is planned in the cloud but not settled: ${why ?? 'nothing was heard'}`,
      {
        code: 'DeadlineExceeded',
        cause,
        hint: `see that cloud-manager runs, and \`kubectl describe edgeunit ${options.unit}\``,
      },
    );
  }
}

/**
 * Moves a node into a unit, out of all others, and waits until it has what the unit gives. Idempotent: broken off
 * between leaving and joining, a second run joins. Undefined if the plan was not agreed to. Throws as `planMove`, and
 * `DeadlineExceeded`.
 */
export async function moveNode(options: UnitMoveOptions, deps: UnitDeps): Promise<NodeMoved | undefined> {
  const { node, unit } = options;
  const { items: units } = await deps.cluster.listAll(edgeUnitResource, { signal: deps.signal });
  const changes = planMove(options, { units, node: await nodeNamed(node, deps) });
  const warnings = changes.length === 0 ? [] : await podWarnings(node, deps);
  if (!(await deps.agree(planOf(`move node ${node} to unit ${unit}`, changes, warnings)))) return undefined;
  await applyChanges(changes, deps);
  const left = units
    .filter((one) => unitNameOf(one) !== unit)
    .filter(({ status }) => status?.members?.some(({ name }) => name === node) === true)
    .map(unitNameOf);
  await deps.progress.task('wait until the units are settled', (progress) =>
    settle([...left, unit], options, { ...deps, progress }),
  );
  return { node, unit, left };
}

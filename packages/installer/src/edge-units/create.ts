import { isDeepStrictEqual } from 'node:util';
import type { EdgeUnitSpec } from '@selvedge/api';
import { SelvedgeError } from '@selvedge/kit';
import type { KubeClient } from '@selvedge/kube';
import { type ClusterChange, applyChanges, planOf } from '../changes/index.ts';
import type { CommandContext } from '../command/index.ts';
import { refuseOthers, unitNameOf } from './membership.ts';
import { type EdgeUnitObject, edgeUnitResource } from '../edge-objects.ts';
import { nodeSelectorOf } from './selector.ts';

/** The unit to create. */
export interface UnitCreateOptions {
  /** The name of the EdgeUnit. */
  readonly name: string;
  /** Members by the names of their Nodes, which need not exist yet. */
  readonly nodes?: readonly string[] | undefined;
  /** Members by a label selector, in its string form, of labels that nodes cannot set. Not with `nodes`. */
  readonly selector?: string | undefined;
  /** How long members may stay offline before their pods are evicted: `off`, `forever` or a duration. */
  readonly autonomy?: string | undefined;
}

/** The result of `unit create`. Plain JSON. */
export interface UnitCreated {
  /** The name of the unit. */
  readonly unit: string;
  /** False if the unit existed before, with the same spec. */
  readonly isNew: boolean;
}

/** What commands about units work with. */
export interface UnitDeps extends CommandContext {
  /** The client of the API server that has the EdgeUnits. */
  readonly cluster: KubeClient;
}

function membersOf({ nodes, selector }: UnitCreateOptions): Pick<EdgeUnitSpec, 'members'> {
  if (nodes !== undefined) return { members: { names: [...new Set(nodes)] } };
  return selector === undefined ? {} : { members: { nodeSelector: nodeSelectorOf(selector) } };
}

const sorted = (all: readonly string[]): readonly string[] => all.toSorted();

function isSame(unit: EdgeUnitObject, wanted: EdgeUnitSpec): boolean {
  const { members: { names = [], nodeSelector } = {}, autonomy } = unit.spec ?? {};
  return (
    isDeepStrictEqual(sorted(names), sorted(wanted.members?.names ?? [])) &&
    isDeepStrictEqual(nodeSelector, wanted.members?.nodeSelector) &&
    autonomy === wanted.autonomy
  );
}

function whom({ nodes, selector }: UnitCreateOptions): string {
  if (nodes !== undefined) return ` with ${nodes.join(', ')}`;
  return selector === undefined ? ' without members' : ` with the nodes that match ${selector}`;
}

/** Pure. Throws `AlreadyExists` if it is there otherwise, `Conflict` if a node belongs to another, `Invalid`. */
export function planUnit(
  options: UnitCreateOptions,
  units: readonly EdgeUnitObject[],
): readonly ClusterChange[] {
  const { name, autonomy, nodes = [] } = options;
  const spec: EdgeUnitSpec = { ...membersOf(options), ...(autonomy === undefined ? {} : { autonomy }) };
  const there = units.find((unit) => unitNameOf(unit) === name);
  if (there !== undefined && isSame(there, spec)) return [];
  if (there !== undefined) {
    throw new SelvedgeError(`unit ${name} exists with a different spec`, {
      code: 'AlreadyExists',
      hint: `add nodes with \`selvedge unit move NODE ${name}\`, change anything else with \`kubectl edit edgeunit ${name}\``,
    });
  }
  refuseOthers(units, name, nodes);
  const object: EdgeUnitObject = { metadata: { name }, spec };
  const what = `create unit ${name}${whom(options)}`;
  return [{ where: `unit ${name}`, what, write: { kind: 'create', resource: edgeUnitResource, object } }];
}

/** Makes a unit. Undefined if the plan was not agreed to. Throws as `planUnit`, and what the API server says. */
export async function createUnit(
  options: UnitCreateOptions,
  deps: UnitDeps,
): Promise<UnitCreated | undefined> {
  const { items } = await deps.cluster.listAll(edgeUnitResource, { signal: deps.signal });
  const changes = planUnit(options, items);
  if (!(await deps.agree(planOf(`create unit ${options.name}`, changes)))) return undefined;
  await applyChanges(changes, deps);
  return { unit: options.name, isNew: changes.length > 0 };
}

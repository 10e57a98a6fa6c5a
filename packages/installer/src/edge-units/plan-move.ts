import { SelvedgeError } from '@selvedge/kit';
import { type KubeObject, type LabelSet, resources } from '@selvedge/kube';
import type { ClusterChange } from '../changes/index.ts';
import { namesIn, namesWrite, unitNameOf, unitNamed, wants } from './membership.ts';
import type { EdgeUnitObject } from '../edge-objects.ts';

export interface MoveOptions {
  readonly node: string;
  /** The name of the unit that it moves to. */
  readonly unit: string;
}

export interface MoveFacts {
  readonly units: readonly EdgeUnitObject[];
  /** Undefined: there is no such Node yet, which is fine for units with names. */
  readonly node: KubeObject | undefined;
}

const byHand = (node: string, unit: string): string =>
  `label it yourself so that only ${unit} selects it: kubectl label node ${node} KEY=VALUE`;

/** The labels that a unit selects by, if they are all that it selects by. */
function plainLabelsOf(unit: EdgeUnitObject, node: string): LabelSet {
  const { matchLabels = {}, matchExpressions = [] } = unit.spec?.members?.nodeSelector ?? {};
  if (matchExpressions.length === 0) return matchLabels;
  throw new SelvedgeError(
    `unit ${unitNameOf(unit)} selects its members by matchExpressions, not only by matchLabels`,
    {
      code: 'Unsupported',
      hint: byHand(node, unitNameOf(unit)),
    },
  );
}

const isByLabels = (unit: EdgeUnitObject): boolean => unit.spec?.members?.nodeSelector !== undefined;

/** What its labels have to become: those that a unit wants on it, and none that another one wants. Null takes away. */
function labelsToSet(
  { node }: MoveOptions,
  left: readonly EdgeUnitObject[],
  wanted: LabelSet,
): Readonly<Record<string, string | null>> {
  const gone = left.filter(isByLabels).flatMap((one) => Object.keys(plainLabelsOf(one, node)));
  const taken = Object.fromEntries(gone.filter((key) => !(key in wanted)).map((key) => [key, null]));
  return { ...taken, ...wanted };
}

function labelChange(
  options: MoveOptions,
  labels: Readonly<Record<string, string | null>>,
  current: LabelSet,
): readonly ClusterChange[] {
  const needed = Object.entries(labels).filter(([key, value]) => (current[key] ?? null) !== value);
  if (needed.length === 0) return [];
  const words = needed.map(([key, value]) =>
    value === null ? `remove label ${key}` : `set label ${key}=${value}`,
  );
  return [
    {
      where: `node ${options.node}`,
      what: words.join(', '),
      write: {
        kind: 'merge',
        resource: resources.nodes,
        at: { name: options.node },
        body: { metadata: { labels: Object.fromEntries(needed) } },
      },
    },
  ];
}

function leave(unit: EdgeUnitObject, node: string): ClusterChange {
  const names = namesIn(unit).filter((name) => name !== node);
  return { where: `unit ${unitNameOf(unit)}`, what: `remove member ${node}`, write: namesWrite(unit, names) };
}

function enter(unit: EdgeUnitObject, node: string): readonly ClusterChange[] {
  if (isByLabels(unit) || namesIn(unit).includes(node)) return [];
  const write = namesWrite(unit, [...namesIn(unit), node]);
  return [{ where: `unit ${unitNameOf(unit)}`, what: `add member ${node}`, write }];
}

/**
 * Leaving, then joining: what takes a node out of all other units and into this one. Empty if it is there and in no
 * other. Pure. Throws `NotFound` if there is no such unit, or no Node where labels decide; `Unsupported` if labels
 * decide in a way that cannot be turned round.
 */
export function planMove(options: MoveOptions, { units, node }: MoveFacts): readonly ClusterChange[] {
  const target = unitNamed(units, options.unit);
  const current = node?.metadata.labels ?? {};
  const left = units.filter(
    (unit) => unit !== target && wants(unit, options.node, node === undefined ? undefined : current),
  );
  const wanted = isByLabels(target) ? plainLabelsOf(target, options.node) : {};
  if (isByLabels(target) && node === undefined) {
    throw new SelvedgeError(`node ${options.node} not found, so it cannot be labelled`, {
      code: 'NotFound',
      hint: 'see `kubectl get nodes`; a node must join before a unit can select it by labels',
    });
  }
  const labels = labelsToSet(options, left, wanted);
  return [
    ...left.filter((unit) => !isByLabels(unit)).map((unit) => leave(unit, options.node)),
    ...labelChange(options, labels, current),
    ...enter(target, options.node),
  ];
}

import { SelvedgeError } from '@selvedge/kit';
import { type LabelSet, labelRequirementsOf, matchesLabels } from '@selvedge/kube';
import type { ClusterChange, ClusterWrite } from '../changes/index.ts';
import { type EdgeUnitObject, edgeUnitResource } from '../edge-objects.ts';

export const unitNameOf = ({ metadata }: EdgeUnitObject): string => metadata.name ?? '';
export const namesIn = ({ spec }: EdgeUnitObject): readonly string[] => spec?.members?.names ?? [];

/** Whether a unit wants a node: by its name, or by labels that only the cloud writes. */
export function wants(unit: EdgeUnitObject, node: string, labels: LabelSet | undefined): boolean {
  const selector = unit.spec?.members?.nodeSelector;
  if (selector === undefined) return namesIn(unit).includes(node);
  return labels !== undefined && matchesLabels(labelRequirementsOf(selector), labels);
}

export function unitNamed(units: readonly EdgeUnitObject[], name: string): EdgeUnitObject {
  const unit = units.find((one) => unitNameOf(one) === name);
  if (unit !== undefined) return unit;
  throw new SelvedgeError(`unit ${name} not found`, {
    code: 'NotFound',
    hint: `create it with \`selvedge unit create ${name}\`; \`selvedge unit list\` shows the existing ones`,
  });
}

/**
 * The write after which just these are named in it; it fails if somebody changed what the unit wants meanwhile. What
 * cloud-manager writes about it, which it does all the time, is no such change.
 */
export function namesWrite(unit: EdgeUnitObject, names: readonly string[]): ClusterWrite {
  return {
    kind: 'json',
    resource: edgeUnitResource,
    at: { name: unitNameOf(unit) },
    operations: [
      { op: 'test', path: '/metadata/generation', value: unit.metadata.generation },
      { op: 'add', path: '/spec/members', value: { ...unit.spec?.members, names } },
    ],
  };
}

/** Throws `Conflict` if one of the nodes is named by another unit. */
export function refuseOthers(units: readonly EdgeUnitObject[], name: string, nodes: readonly string[]): void {
  const others = units.filter((unit) => unitNameOf(unit) !== name);
  for (const node of nodes) {
    const other = others.find((unit) => namesIn(unit).includes(node));
    if (other === undefined) continue;
    throw new SelvedgeError(`node ${node} belongs to unit ${unitNameOf(other)}`, {
      code: 'Conflict',
      hint: `move it with \`selvedge unit move ${node} ${name}\``,
    });
  }
}

/**
 * What makes nodes, which need not exist yet, members of a unit. Pure. Throws `NotFound`, `Conflict` if one belongs to
 * another unit, `Unsupported` if the unit chooses its members by labels.
 */
export function addMembers(
  units: readonly EdgeUnitObject[],
  name: string,
  nodes: readonly string[],
): readonly ClusterChange[] {
  const unit = unitNamed(units, name);
  if (unit.spec?.members?.nodeSelector !== undefined) {
    throw new SelvedgeError(`unit ${name} selects its members by labels, not by name`, {
      code: 'Unsupported',
      hint: 'omit --unit, and set the labels once the node has joined: kubectl label node',
    });
  }
  refuseOthers(units, name, nodes);
  const names = namesIn(unit);
  const added = nodes.filter((node) => !names.includes(node));
  if (added.length === 0) return [];
  const what = `add ${added.length === 1 ? 'member' : 'members'} ${added.join(', ')}`;
  return [{ where: `unit ${name}`, what, write: namesWrite(unit, [...names, ...added]) }];
}

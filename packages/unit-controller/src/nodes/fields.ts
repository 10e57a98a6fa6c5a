import { type UnitTaint, labels } from '@selvedge/api';
import type { LabelSet } from '@selvedge/kube';
import type { Node } from '@selvedge/kube/types';
import { type EdgeUnitObject, nameOf } from '../objects.ts';

/**
 * Fields of a Node that a unit may give, with their values: `labels[KEY]`, `annotations[KEY]`, `taints[KEY:EFFECT]` (its
 * value) and `unschedulable` (`true`).
 */
export type NodeFields = ReadonlyMap<string, string>;

/** What a unit gives its members. */
export interface Given {
  readonly unit: string;
  readonly fields: NodeFields;
}

const cordon = 'unschedulable';
const labelField = (key: string): string => `labels[${key}]`;

/** Ours, whoever wrote it: no node is to seem a member that is none. */
export const unitField = labelField(labels.nodeUnit);
/** Ours on members, whatever was there. */
export const zoneField = labelField(labels.zone);

const entriesOf = (part: string, values: LabelSet | undefined): readonly (readonly [string, string])[] =>
  Object.entries(values ?? {}).map(([key, value]) => [`${part}[${key}]`, value] as const);

const taintsOf = (taints: readonly UnitTaint[] | undefined): readonly (readonly [string, string])[] =>
  (taints ?? []).map(({ key, effect, value }) => [`taints[${key}:${effect}]`, value ?? ''] as const);

const cordonOf = (unschedulable: boolean | undefined): readonly (readonly [string, string])[] =>
  unschedulable === true ? [[cordon, 'true']] : [];

/** All that the unit gives each member. Pure. */
export function givenBy(unit: EdgeUnitObject): Given {
  const name = nameOf(unit);
  const spec = unit.spec ?? {};
  const zone = spec.zone ?? name;
  const own = { [labels.nodeUnit]: name, ...(zone === '' ? {} : { [labels.zone]: zone }) };
  return {
    unit: name,
    fields: new Map([
      ...entriesOf('labels', spec.labels),
      ...entriesOf('labels', own),
      ...entriesOf('annotations', spec.annotations),
      ...taintsOf(spec.taints),
      ...cordonOf(spec.unschedulable),
    ]),
  };
}

/** What a Node has of such fields. Pure. */
export function fieldsOf({ metadata, spec }: Node): NodeFields {
  const taints = spec?.taints as readonly UnitTaint[] | undefined;
  return new Map([
    ...entriesOf('labels', metadata.labels),
    ...entriesOf('annotations', metadata.annotations),
    ...taintsOf(taints),
    ...cordonOf(spec?.unschedulable),
  ]);
}

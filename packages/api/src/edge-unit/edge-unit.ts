import { type PrinterColumn, customResourceDefinition } from '../custom-resource.ts';
import { labelName, maxNameLength } from '../common.ts';
import type { FromSchema } from '../schema.ts';
import { edgeUnitSpecSchema } from './schema.ts';
import { edgeUnitStatusSchema } from './status.ts';

export type EdgeUnitSpec = FromSchema<typeof edgeUnitSpecSchema>;
export type EdgeUnitStatus = FromSchema<typeof edgeUnitStatusSchema>;
export type EdgeUnitMember = NonNullable<EdgeUnitStatus['members']>[number];
export type EdgeUnitConflict = NonNullable<EdgeUnitStatus['conflicts']>[number];
export type EdgeUnitCounts = NonNullable<EdgeUnitStatus['counts']>;
export type MaintenanceWindow = NonNullable<EdgeUnitSpec['maintenanceWindows']>[number];
export type UnitTaint = NonNullable<EdgeUnitSpec['taints']>[number];

/** A named group of nodes with a network of their own. Nodes cannot write it. */
export interface EdgeUnit {
  readonly spec?: EdgeUnitSpec | undefined;
  readonly status?: EdgeUnitStatus | undefined;
}

/** Where EdgeUnits are in the API. */
export const edgeUnits = {
  apiVersion: 'selvedge.io/v1alpha1',
  kind: 'EdgeUnit',
  plural: 'edgeunits',
  namespaced: false,
} as const;

/** Types of the conditions in `EdgeUnit.status`. */
export const edgeUnitConditions = {
  /** Members have all that the unit gives, those that left have lost it. */
  settled: 'Settled',
  /** Somebody else was first, see `status.conflicts`. */
  conflicted: 'Conflicted',
} as const;

const columns: readonly PrinterColumn[] = [
  {
    name: 'Members',
    type: 'integer',
    jsonPath: '.status.counts.members',
    description: 'Nodes that belong to it.',
  },
  {
    name: 'Connected',
    type: 'integer',
    jsonPath: '.status.counts.connected',
    description: 'Members with a link of their own.',
  },
  {
    name: 'Settled',
    type: 'string',
    jsonPath: '.status.conditions[?(@.type=="Settled")].status',
    description: 'Whether members have all that the unit gives.',
  },
  {
    name: 'Conflicts',
    type: 'integer',
    jsonPath: '.status.counts.conflicts',
    description: 'Nodes with a conflict.',
  },
  {
    name: 'Autonomy',
    type: 'string',
    jsonPath: '.spec.autonomy',
    description: 'How long members are left in peace when they lose their link.',
    priority: 1,
  },
  { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp', description: 'Since when it is.' },
];

export const edgeUnitDefinition = customResourceDefinition({
  group: 'selvedge.io',
  kind: edgeUnits.kind,
  plural: edgeUnits.plural,
  shortNames: ['eu'],
  scope: 'Cluster',
  description: 'A named group of nodes with a network of their own: a shop, a plant, a room.',
  versions: [
    {
      name: 'v1alpha1',
      storage: true,
      spec: edgeUnitSpecSchema,
      status: edgeUnitStatusSchema,
      columns,
      rules: [
        {
          rule: `size(self.metadata.name) <= ${maxNameLength} && self.metadata.name.matches('${labelName}')`,
          message: `the name of a unit is the value of a label and part of names: at most ${maxNameLength} characters, a-z, 0-9 and -`,
        },
      ],
    },
  ],
});

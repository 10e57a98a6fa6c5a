import { type PrinterColumn, customResourceDefinition } from '../custom-resource.ts';
import type { FromSchema } from '../schema.ts';
import { unitAppSpecSchema } from './schema.ts';
import { unitAppStatusSchema } from './status.ts';

export type UnitAppSpec = FromSchema<typeof unitAppSpecSchema>;
export type UnitAppTemplate = UnitAppSpec['template'];
export type UnitAppOverride = NonNullable<UnitAppSpec['overrides']>[number];
export type UnitAppRollout = NonNullable<UnitAppSpec['rollout']>;
export type UnitAppScaling = NonNullable<UnitAppSpec['scaling']>;
export type UnitAppStatus = FromSchema<typeof unitAppStatusSchema>;
export type UnitAppUnit = NonNullable<UnitAppStatus['units']>[number];

/** A workload that is cloned into each selected unit. */
export interface UnitApp {
  readonly spec: UnitAppSpec;
  readonly status?: UnitAppStatus | undefined;
}

/** Where UnitApps are in the API. */
export const unitApps = {
  apiVersion: 'selvedge.io/v1alpha1',
  kind: 'UnitApp',
  plural: 'unitapps',
  namespaced: true,
} as const;

/** Types of the conditions in `UnitApp.status`. */
export const unitAppConditions = {
  /** Healthy in all units that have a link. */
  available: 'Available',
  /** The newest revision is in all units that have a link. */
  updated: 'Updated',
  /** A rollout is under way. */
  progressing: 'Progressing',
  /** The template, an override or a schedule cannot be used. */
  invalid: 'Invalid',
} as const;

/** Characters of a UnitApp's name, and of the clones' names: what a StatefulSet's may have. */
export const maxWorkloadName = 52;

const totals = (name: string, field: string, description: string): PrinterColumn => ({
  name,
  type: 'integer',
  jsonPath: `.status.totals.${field}`,
  description,
});

const columns: readonly PrinterColumn[] = [
  { name: 'Kind', type: 'string', jsonPath: '.spec.template.kind', description: 'What is cloned.' },
  totals('Units', 'units', 'Units that are selected.'),
  totals('Updated', 'updated', 'Units with the new revision.'),
  totals('Healthy', 'healthy', 'Units that are healthy.'),
  {
    name: 'Rollout',
    type: 'string',
    jsonPath: '.status.rollout.state',
    description: 'Where the rollout is.',
  },
  {
    name: 'Wave',
    type: 'string',
    jsonPath: '.status.rollout.wave',
    description: 'The wave that it is at.',
    priority: 1,
  },
  { ...totals('Offline', 'offline', 'Units without a link.'), priority: 1 },
  { ...totals('Failed', 'failed', 'Units that failed.'), priority: 1 },
  { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp', description: 'Since when it is.' },
];

export const unitAppDefinition = customResourceDefinition({
  group: 'selvedge.io',
  kind: unitApps.kind,
  plural: unitApps.plural,
  shortNames: ['ua'],
  scope: 'Namespaced',
  description: 'A workload that is cloned into each selected unit, and how changes of it come there.',
  versions: [
    {
      name: 'v1alpha1',
      storage: true,
      spec: unitAppSpecSchema,
      status: unitAppStatusSchema,
      columns,
      rules: [
        {
          rule: `size(self.metadata.name) <= ${maxWorkloadName} && self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')`,
          message: `the name of a UnitApp is part of names of workloads and Services: at most ${maxWorkloadName} characters, a-z, 0-9 and -, beginning with a letter`,
        },
      ],
    },
  ],
});

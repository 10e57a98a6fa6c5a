import { conditions, count, observedGeneration, unitName } from '../common.ts';
import type { ArraySchema, ObjectSchema } from '../schema.ts';

const revision = (description: string) =>
  ({ type: 'integer', format: 'int64', minimum: 0, description }) as const;

const units = {
  type: 'array',
  description:
    'What has become of it in each unit: of more than 1,000 units, those that need attention first.',
  maxItems: 1_000,
  'x-kubernetes-list-type': 'atomic',
  items: {
    type: 'object',
    description: 'One unit.',
    required: ['name', 'state'],
    properties: {
      name: unitName,
      workload: { type: 'string', maxLength: 63, description: 'The name of the clone.' },
      revision: revision('What the clone is made from.'),
      healthyRevision: revision('The last one that it was healthy with.'),
      state: {
        type: 'string',
        enum: ['Waiting', 'Updating', 'Healthy', 'Unhealthy', 'Failed', 'Offline'],
        description:
          'Waiting: its turn has not come. Updating: on its way to the revision. Offline: the unit has no link, it catches up when it has one.',
      },
      since: { type: 'string', format: 'date-time', description: 'When it came into this state.' },
      replicas: count('Wanted.'),
      available: count('Available.'),
      message: { type: 'string', maxLength: 256, description: 'Why, for people.' },
    },
  },
} as const satisfies ArraySchema;

export const unitAppStatusSchema = {
  type: 'object',
  description: 'What has become of it.',
  properties: {
    observedGeneration,
    currentRevision: revision('The last one that was rolled out in full; 0: none yet.'),
    updateRevision: revision('The one that is rolled out.'),
    rollout: {
      type: 'object',
      description: 'Where the rollout is.',
      required: ['state'],
      properties: {
        state: {
          type: 'string',
          enum: ['Progressing', 'Baking', 'Paused', 'Stopped', 'RollingBack', 'RolledBack', 'Done'],
          description: 'Baking: a wave is updated and watched. Stopped, RolledBack: units failed.',
        },
        revision: revision('What it brings.'),
        wave: { type: 'string', maxLength: 63, description: 'The wave that it is at.' },
        since: { type: 'string', format: 'date-time', description: 'When it came into this state.' },
        message: { type: 'string', maxLength: 1_024, description: 'Why, for people.' },
      },
    },
    totals: {
      type: 'object',
      description: 'How many units.',
      required: ['units'],
      properties: {
        units: count('That are selected.'),
        updated: count('With the new revision.'),
        healthy: count('Healthy, with whatever revision.'),
        waiting: count('Whose turn has not come.'),
        updating: count('On their way.'),
        unhealthy: count('That were healthy and are not.'),
        failed: count('Failed.'),
        offline: count('Without a link.'),
      },
    },
    units,
    conditions,
  },
} as const satisfies ObjectSchema;

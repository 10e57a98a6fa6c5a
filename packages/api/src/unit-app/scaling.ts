import { cron, timeZone } from '../common.ts';
import type { ObjectSchema } from '../schema.ts';

export const scalingSchema = {
  type: 'object',
  description: 'What decides about replicas in each unit, in place of the template: a timetable or metrics.',
  properties: {
    schedules: {
      type: 'array',
      description: 'From its moment on each holds until the next one: the latest wins.',
      maxItems: 32,
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['name'],
      items: {
        type: 'object',
        description: 'One moment.',
        required: ['name', 'cron', 'replicas'],
        properties: {
          name: { type: 'string', minLength: 1, maxLength: 63, description: 'Of the schedule.' },
          cron,
          timeZone,
          replicas: {
            type: 'integer',
            format: 'int32',
            minimum: 0,
            description: 'How many from then on, in each unit.',
          },
        },
      },
    },
    horizontal: {
      type: 'object',
      description: 'A HorizontalPodAutoscaler of autoscaling/v2 for each unit. Replicas are left to it.',
      required: ['maxReplicas'],
      properties: {
        minReplicas: { type: 'integer', format: 'int32', minimum: 0, default: 1, description: 'At least.' },
        maxReplicas: { type: 'integer', format: 'int32', minimum: 1, description: 'At most.' },
        metrics: {
          type: 'array',
          description: 'As in its spec.',
          maxItems: 16,
          'x-kubernetes-list-type': 'atomic',
          items: {
            type: 'object',
            description: 'One metric.',
            'x-kubernetes-preserve-unknown-fields': true,
          },
        },
        behavior: {
          type: 'object',
          description: 'As in its spec.',
          'x-kubernetes-preserve-unknown-fields': true,
        },
      },
      'x-kubernetes-validations': [
        { rule: 'self.minReplicas <= self.maxReplicas', message: 'minReplicas is more than maxReplicas' },
      ],
    },
  },
  'x-kubernetes-validations': [
    {
      rule: 'has(self.schedules) != has(self.horizontal)',
      message: 'give either schedules or horizontal: both would set the same number',
    },
  ],
} as const satisfies ObjectSchema;

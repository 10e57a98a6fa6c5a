import { labelSelector } from '../common.ts';
import type { ObjectSchema } from '../schema.ts';
import { overridesSchema } from './overrides.ts';
import { rolloutSchema } from './rollout.ts';
import { scalingSchema } from './scaling.ts';
import { configMapsSchema, secretsSchema, serviceSchema, templateSchema } from './template.ts';

export const unitAppSpecSchema = {
  type: 'object',
  description: 'What runs in each unit, in which units, and how changes come there.',
  required: ['template', 'unitSelector'],
  properties: {
    template: templateSchema,
    service: serviceSchema,
    configMaps: configMapsSchema,
    secrets: secretsSchema,
    unitSelector: labelSelector(
      'In which units, by the labels of EdgeUnits; each also counts as labelled selvedge.io/unit with its name. Empty: all.',
      [],
    ),
    overrides: overridesSchema,
    scaling: scalingSchema,
    unmanagedFields: {
      type: 'array',
      description:
        'Fields of the clone that are left to others once it is made: JSON pointers such as /spec/replicas. Everything else is put back when somebody changes it.',
      maxItems: 32,
      'x-kubernetes-list-type': 'set',
      items: {
        type: 'string',
        maxLength: 253,
        description: 'A JSON pointer.',
        'x-kubernetes-validations': [
          {
            rule: String.raw`self.matches('^/(spec|metadata/(labels|annotations))/.+$')`,
            message: 'must be a JSON pointer under /spec, /metadata/labels or /metadata/annotations',
          },
          {
            rule: String.raw`!self.matches('^/spec/(selector(/.*)?|template(/metadata(/labels)?)?)$|/(labels|annotations)/([-a-z0-9.]+[.])?selvedge[.]io~1')`,
            message:
              'must not be what a clone is known by: its selector, and labels and annotations of selvedge.io',
          },
        ],
      },
    },
    rollout: rolloutSchema,
    revisionHistoryLimit: {
      type: 'integer',
      format: 'int32',
      minimum: 0,
      maximum: 100,
      default: 10,
      description: 'Old revisions that are kept to go back to.',
    },
    rollbackTo: {
      type: 'integer',
      format: 'int64',
      minimum: 1,
      description:
        'While set, this old revision is what is rolled out, whatever template, service, configMaps, secrets and overrides say.',
    },
  },
  'x-kubernetes-validations': [
    {
      rule: "self.template.kind != 'DaemonSet' || !has(self.scaling)",
      message: 'a DaemonSet has one pod for each node of the unit: it cannot be scaled',
    },
  ],
} as const satisfies ObjectSchema;

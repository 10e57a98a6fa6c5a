import { labelName, labelSelector } from '../common.ts';
import type { ArraySchema, ObjectSchema } from '../schema.ts';

const waves = {
  type: 'array',
  description:
    'The order in which units get a new revision. Units that are in no wave come in a last one. Default: one wave with all units.',
  maxItems: 16,
  'x-kubernetes-list-type': 'map',
  'x-kubernetes-list-map-keys': ['name'],
  items: {
    type: 'object',
    description: 'One wave, begun when the one before it is done.',
    required: ['name'],
    properties: {
      name: {
        type: 'string',
        minLength: 1,
        maxLength: 63,
        description: 'Of the wave.',
        'x-kubernetes-validations': [
          { rule: `self.matches('${labelName}')`, message: 'must be a lower-case RFC 1123 label name' },
        ],
      },
      unitSelector: labelSelector('Units with these labels that are in no wave before.', []),
      percentage: {
        type: 'integer',
        format: 'int32',
        minimum: 1,
        maximum: 100,
        description: 'Until so many of all units, of this and the waves before, are in one; rounded up.',
      },
    },
    'x-kubernetes-validations': [
      {
        rule: 'has(self.unitSelector) != has(self.percentage)',
        message: 'a wave has either unitSelector or percentage',
      },
    ],
  },
} as const satisfies ArraySchema;

const decimal = '^-?[0-9]{1,18}(\\\\.[0-9]{1,9})?$';
const bound = (description: string) =>
  ({
    type: 'string',
    maxLength: 30,
    description,
    'x-kubernetes-validations': [
      { rule: `self.matches('${decimal}')`, message: 'must be a decimal number in quotes, such as "0.01"' },
    ],
  }) as const;

const healthGate = {
  type: 'object',
  description: 'What a unit must show before it counts as updated.',
  default: {},
  properties: {
    availablePercent: {
      type: 'integer',
      format: 'int32',
      minimum: 1,
      maximum: 100,
      default: 100,
      description: 'Of its replicas, rounded up.',
    },
    maxRestarts: {
      type: 'integer',
      format: 'int32',
      minimum: 0,
      default: 3,
      description: 'Restarts of containers of the new revision that are borne in a unit; one more fails it.',
    },
    metric: {
      type: 'object',
      description: 'A number that a server of metrics tells of the unit.',
      required: ['url', 'field'],
      properties: {
        url: {
          type: 'string',
          maxLength: 2_048,
          description:
            "Where it is asked with GET; {{unit.name}} and {{unit.labels.KEY}} are replaced and escaped. Only servers that cloud-manager's config allows are asked.",
          'x-kubernetes-validations': [
            { rule: "self.matches('^https?://[^/]+')", message: 'must be an http or https URL' },
          ],
        },
        field: {
          type: 'string',
          maxLength: 253,
          description:
            'Where the number is in the JSON that comes back: a JSON pointer such as /data/result/0/value/1.',
          'x-kubernetes-validations': [
            { rule: "self.startsWith('/')", message: 'must be a JSON pointer, which begins with /' },
          ],
        },
        atLeast: bound('Less is bad.'),
        atMost: bound('More is bad.'),
      },
      'x-kubernetes-validations': [
        { rule: 'has(self.atLeast) || has(self.atMost)', message: 'give atLeast, atMost or both' },
      ],
    },
  },
} as const satisfies ObjectSchema;

export const rolloutSchema = {
  type: 'object',
  description: 'How a new revision comes into the units.',
  default: {},
  properties: {
    waves,
    maxUnavailableUnits: {
      'x-kubernetes-int-or-string': true,
      default: '10%',
      maxLength: 16,
      description:
        'How many units may be on their way to the new revision, or unhealthy with it, at a time: a number, or a percentage of the units, rounded up. Units without a link do not count, nor those that are unhealthy with the revision before.',
      'x-kubernetes-validations': [
        {
          rule: "type(self) == int ? self >= 1 : self.matches('^([1-9][0-9]?|100)%$')",
          message: 'must be a number of at least 1, or a percentage from 1% to 100%',
        },
      ],
    },
    pause: {
      type: 'boolean',
      default: false,
      description: 'No further unit is begun.',
    },
    bakeSeconds: {
      type: 'integer',
      format: 'int32',
      minimum: 0,
      maximum: 2_592_000,
      default: 60,
      description: 'How long all units of a wave must have been healthy before the next one begins.',
    },
    unitDeadlineSeconds: {
      type: 'integer',
      format: 'int32',
      minimum: 10,
      maximum: 86_400,
      default: 600,
      description: 'A unit with a link that is not healthy by then has failed.',
    },
    maxFailedUnits: {
      type: 'integer',
      format: 'int32',
      minimum: 0,
      default: 0,
      description: 'Failed units that are borne; one more stops the rollout.',
    },
    healthGate,
    onFailure: {
      type: 'string',
      enum: ['stop', 'rollback'],
      default: 'stop',
      description:
        'stop: no further unit is begun. rollback: units with the new revision go back to the last one that was rolled out in full.',
    },
    maintenanceWindows: {
      type: 'string',
      enum: ['respect', 'ignore'],
      default: 'respect',
      description: 'Whether a unit is changed in its EdgeUnit.spec.maintenanceWindows only.',
    },
  },
} as const satisfies ObjectSchema;

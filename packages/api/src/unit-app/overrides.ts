import { labelSelector, unitName } from '../common.ts';
import type { ArraySchema } from '../schema.ts';

const containers = {
  type: 'array',
  description: 'Changes to single containers or init containers.',
  maxItems: 16,
  'x-kubernetes-list-type': 'map',
  'x-kubernetes-list-map-keys': ['name'],
  items: {
    type: 'object',
    description: 'Changes to one container.',
    required: ['name'],
    properties: {
      name: { type: 'string', minLength: 1, maxLength: 63, description: 'Of the container.' },
      image: { type: 'string', minLength: 1, maxLength: 1_024, description: 'In place of its image.' },
      env: {
        type: 'array',
        description: 'Environment variables that are set, or set anew.',
        maxItems: 64,
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['name'],
        items: {
          type: 'object',
          description: 'One variable.',
          required: ['name', 'value'],
          properties: {
            name: { type: 'string', minLength: 1, maxLength: 256, description: 'Its name.' },
            value: { type: 'string', maxLength: 16_384, description: 'Its value.' },
          },
        },
      },
      resources: {
        type: 'object',
        description: 'In place of its resources, as in a container.',
        'x-kubernetes-preserve-unknown-fields': true,
      },
    },
  },
} as const satisfies ArraySchema;

const jsonPatch = {
  type: 'array',
  description: 'Operations of RFC 6902 on the clone, after the strategic merge patch.',
  maxItems: 64,
  'x-kubernetes-list-type': 'atomic',
  items: {
    type: 'object',
    description: 'One operation.',
    required: ['op', 'path'],
    properties: {
      op: {
        type: 'string',
        enum: ['add', 'remove', 'replace', 'move', 'copy', 'test'],
        description: 'What to do.',
      },
      path: { type: 'string', maxLength: 1_024, description: 'A JSON pointer.' },
      from: { type: 'string', maxLength: 1_024, description: 'A JSON pointer, of move and copy.' },
      value: { description: 'Of add, replace and test.', 'x-kubernetes-preserve-unknown-fields': true },
    },
    'x-kubernetes-validations': [
      {
        rule: "self.op in ['move', 'copy'] == has(self.from)",
        message: 'move and copy have from, others have not',
      },
      {
        rule: "self.path == '' || self.path.startsWith('/')",
        message: 'must be a JSON pointer, which begins with /',
      },
    ],
  },
} as const satisfies ArraySchema;

export const overridesSchema = {
  type: 'array',
  description: 'What is different in some units. All that fit a unit are applied, in their order.',
  maxItems: 256,
  'x-kubernetes-list-type': 'map',
  'x-kubernetes-list-map-keys': ['name'],
  items: {
    type: 'object',
    description: 'One difference.',
    required: ['name'],
    properties: {
      name: { type: 'string', minLength: 1, maxLength: 63, description: 'Of the override.' },
      units: {
        type: 'array',
        description: 'In these units.',
        maxItems: 1_000,
        'x-kubernetes-list-type': 'set',
        items: unitName,
      },
      unitSelector: labelSelector('In units with these labels.', []),
      replicas: {
        type: 'integer',
        format: 'int32',
        minimum: 0,
        description: 'In place of the number in the template.',
      },
      containers,
      strategicMerge: {
        type: 'object',
        description: 'A strategic merge patch of the clone.',
        'x-kubernetes-preserve-unknown-fields': true,
      },
      jsonPatch,
    },
    'x-kubernetes-validations': [
      {
        rule: 'has(self.units) != has(self.unitSelector)',
        message: 'give either units or unitSelector',
      },
    ],
  },
} as const satisfies ArraySchema;
